"""A box for programs of strangers, made of the kernel's own parts: no daemon, no setuid helper, nothing to install.

From the outside in
    probe       whether a box holds on this machine, found out by running one
    cgroups     memory, processes and processor time, over all that runs in a box
    box         one run: the process outside, its limits, what comes back
    plan        what the two sides tell each other
From the inside out (these import the standard library only, and run in a process of their own)
    launcher    namespaces, the box's first process, its end
    root        what a command sees of files: nothing of the host's but tools, read-only
    privileges  identity, capabilities, limits of a process
    seccomp     the system calls that are left
    parcel      what the command printed and wrote, packed inside the box
    kernel      calls that Python's library has no name for
"""
