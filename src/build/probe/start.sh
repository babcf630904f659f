# SPDX-License-Identifier: Apache-2.0
# Starts the command line that follows with the module beside this file within its reach. The command takes the place of
# this shell, so signals reach it.

# A container that is started again finds the files of its predecessor: it is not ready, and has all its time to start.
rm -f /run/celery-operator/ready
touch /run/celery-operator/alive
# Behind what the image says, which must not be lost.
PYTHONPATH="${PYTHONPATH:+$PYTHONPATH:}/etc/celery-operator/probe"
export PYTHONPATH
exec "$@"
