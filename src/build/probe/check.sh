# SPDX-License-Identifier: Apache-2.0
# check.sh alive|ready SECONDS: succeeds when the last sign of life is no older than that. "ready" also asks whether work
# has begun and not ended. What is printed is seen in the events of the pod.

if [ "$1" = ready ] && [ ! -e /run/celery-operator/ready ]; then
    echo "Celery has not begun to work, or has ended"
    exit 1
fi
seen=$(stat -c %Y /run/celery-operator/alive) || exit 1
age=$(($(date +%s) - seen))
if [ "$age" -gt "$2" ]; then
    echo "the last sign of life is $age seconds old"
    exit 1
fi
