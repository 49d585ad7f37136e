//! Commands of courses that are there under another name or with other powers.

use insta::assert_snapshot;
use serde_json::json;

use crate::{check, hub, step};

#[test]
fn sudo_runs_the_command_as_it_is() {
    let commands = [
        "sudo id -un; sudo -E -u root docker version --format '{{.Client.Os}}'",
        "sudo A='b c' D=e env | grep -x 'A=b c'; sudo -uroot -nH -- printf '%s|' 'a  b' -u '*'; echo",
        "name=x; export name; sudo -Eu root sh -c 'echo $name; exit 3'; echo $?",
        "sudo -g docker -p 'password: ' -C 3 --user root --preserve-env=PATH pwd; sudo -D / pwd; sudo --chdir=/etc pwd",
        "sudo -b sh -c 'echo later' | cat; sudo -v; sudo -k; echo exit 4 | sudo -i; echo $?; sudo -s echo shell",
        "echo text | sudo tee file; sudo cat <file; sudo rm file",
        "sudo cd /; echo $?; sudo no-such-program; echo $?; sudo -D /missing true; echo $?",
        "sudo 2>&1 | cut -c1-11; sudo -u; echo $?; sudo -Z true 2>&1 | head -1; sudo -h 2>&1 | tail -1",
    ];
    assert_snapshot!(check(vec![step("sudo", &commands)], json!({ "network": "none" })), @"
    -- sudo
    $ sudo id -un; sudo -E -u root docker version --format '{{.Client.Os}}'
    learner
    linux
    $ sudo A='b c' D=e env | grep -x 'A=b c'; sudo -uroot -nH -- printf '%s|' 'a  b' -u '*'; echo
    A=b c
    a  b|-u|*|
    $ name=x; export name; sudo -Eu root sh -c 'echo $name; exit 3'; echo $?
    x
    3
    $ sudo -g docker -p 'password: ' -C 3 --user root --preserve-env=PATH pwd; sudo -D / pwd; sudo --chdir=/etc pwd
    /home/learner/work
    /
    /etc
    $ sudo -b sh -c 'echo later' | cat; sudo -v; sudo -k; echo exit 4 | sudo -i; echo $?; sudo -s echo shell
    later
    4
    shell
    $ echo text | sudo tee file; sudo cat <file; sudo rm file
    text
    text
    $ sudo cd /; echo $?; sudo no-such-program; echo $?; sudo -D /missing true; echo $?
    sudo: cd: command not found
    1
    sudo: no-such-program: command not found
    1
    sudo: unable to change directory to /missing: No such file or directory
    1
    $ sudo 2>&1 | cut -c1-11; sudo -u; echo $?; sudo -Z true 2>&1 | head -1; sudo -h 2>&1 | tail -1
    usage: sudo
    usage: sudo
    usage: sudo [-ABbEHnPS] [-C num] [-D directory] [-g group] [-h host] [-p prompt] [-T timeout] [-u user] [VAR=value] [-i | -s] [command [arg ...]]
    usage: sudo -h | -K | -k | -V | -v
    1
    sudo: invalid option -- 'Z'
    usage: sudo -h | -K | -k | -V | -v
    ");
}

#[test]
fn compose_is_there_under_its_former_name() {
    let commands = [
        "printf 'services:\\n  web:\\n    image: nginx\\n    ports: [\"8080:80\"]\\n' >docker-compose.yml",
        "docker-compose up -d 2>/dev/null; docker-compose ps --services; docker compose ps --format '{{.Service}}'",
        "docker-compose exec -T web nginx -v 2>&1 | cut -d/ -f1; curl -s --retry 50 --retry-delay 1 --retry-all-errors -o /dev/null -w '%{http_code}' localhost:8080",
        "docker-compose down 2>/dev/null; docker ps -aq",
    ];
    assert_snapshot!(check(vec![step("compose", &commands)], hub()), @r#"
    -- compose
    $ printf 'services:\n  web:\n    image: nginx\n    ports: ["8080:80"]\n' >docker-compose.yml
    $ docker-compose up -d 2>/dev/null; docker-compose ps --services; docker compose ps --format '{{.Service}}'
    web
    web
    $ docker-compose exec -T web nginx -v 2>&1 | cut -d/ -f1; curl -s --retry 50 --retry-delay 1 --retry-all-errors -o /dev/null -w '%{http_code}' localhost:8080
    nginx version: nginx
    200
    $ docker-compose down 2>/dev/null; docker ps -aq
    "#);
}
