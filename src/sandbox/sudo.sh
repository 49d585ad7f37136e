#!/bin/sh
# Stands in for sudo: takes its own options away and runs the command as it is, as the same user.
# Nobody can become root in the sandbox; the engine belongs to its user, so that what courses run with sudo needs no root.

usage() {
    echo 'usage: sudo [-ABbEHnPS] [-C num] [-D directory] [-g group] [-h host] [-p prompt] [-T timeout] [-u user] [VAR=value] [-i | -s] [command [arg ...]]' >&2
    echo 'usage: sudo -h | -K | -k | -V | -v' >&2
    exit "$1"
}

fail() {
    echo "sudo: $*" >&2
    exit 1
}

change_folder() {
    cd -- "$1" 2>/dev/null || fail "unable to change directory to $1: No such file or directory"
}

background=
shell=
nothing=
while [ $# -gt 0 ]; do
    case $1 in
    --)
        shift
        break
        ;;
    --chdir=*) change_folder "${1#*=}" ;;
    --close-from | --chroot | --command-timeout | --group | --host | --other-user | --prompt | --role | --type | --user)
        [ $# -gt 1 ] || usage 1
        shift
        ;;
    --chdir)
        [ $# -gt 1 ] || usage 1
        shift
        change_folder "$1"
        ;;
    --background) background=yes ;;
    --login | --shell) shell=yes ;;
    --reset-timestamp | --remove-timestamp | --validate | --version) nothing=yes ;;
    --help) usage 0 ;;
    --*) ;;
    -?*)
        letters=${1#-}
        while [ -n "$letters" ]; do
            rest=${letters#?}
            letter=${letters%"$rest"}
            letters=$rest
            case $letter in
            [CDghpRrTtUu])
                value=$rest
                letters=
                if [ -z "$value" ]; then
                    # Alone it asks for help.
                    [ "$letter $#" != 'h 1' ] || usage 0
                    [ $# -gt 1 ] || usage 1
                    shift
                    value=$1
                fi
                [ "$letter" != D ] || change_folder "$value"
                ;;
            [ABEHNnPS]) ;;
            b) background=yes ;;
            [is]) shell=yes ;;
            [kKVv]) nothing=yes ;;
            *)
                echo "sudo: invalid option -- '$letter'" >&2
                usage 1
                ;;
            esac
        done
        ;;
    [A-Za-z_]*=*) export "$1" ;;
    *) break ;;
    esac
    shift
done

if [ $# -eq 0 ]; then
    [ -z "$nothing" ] || exit 0
    [ -n "$shell" ] || usage 1
    set -- "${SHELL:-/bin/sh}"
fi
# What the shell alone knows, such as `cd`, sudo does not know either.
which "$1" >/dev/null 2>&1 || fail "$1: command not found"
if [ -n "$background" ]; then
    "$@" &
else
    exec "$@"
fi
