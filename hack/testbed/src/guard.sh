# SPDX-License-Identifier: Apache-2.0
# Becomes the program given as arguments, after leaving a guard behind in the same process group: the guard reads
# a pipe that only the owner of the program holds open, and kills the whole group when that pipe ends. The kernel
# closes the pipe however the owner ends, SIGKILL included. Started as the leader of a new process group.
exec 3<&0 </dev/null
# The outer subshell ends at once, so that the program does not inherit a child it knows nothing of.
(
    {
        trap '' HUP INT QUIT TERM
        read -r _
        kill -KILL 0
    } <&3 3<&- >/dev/null 2>&1 &
)
exec "$@" 3<&-
