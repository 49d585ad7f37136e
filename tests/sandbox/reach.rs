//! What a sandbox reaches where the user grants the world, and what it does not where nobody does.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};

use insta::assert_snapshot;
use mdbook_rehearse::plan::{Plan, Reach};
use serde_json::{Value, json};

use crate::{hub, plan, rehearse, show, step};

/// A server of this machine, which is as far away as the world is. Not on the engine's bridge, for an engine in a sandbox
/// has a network of the same addresses.
fn world() -> String {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // One that leaves a request unread resets the connection.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nthe world\n");
        }
    });
    // Nothing is sent: the system only chooses the address that it would send from.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect("192.0.2.1:9").unwrap();
    format!("http://{}:{port}", socket.local_addr().unwrap().ip())
}

/// What commands find of the world.
fn check(reach: Reach, table: &Value, world: &str, commands: &[&str]) -> String {
    let commands = commands.iter().map(|it| it.replace("WORLD", world));
    let commands: Vec<String> = commands.collect();
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    let plan = Plan {
        reach,
        ..plan(vec![step("reach", &commands)])
    };
    show(&rehearse(&plan, table.clone())).replace(world, "WORLD")
}

#[test]
fn the_world_is_reached_where_it_is_granted_and_registries_are_as_before() {
    let world = world();
    let none = json!({ "network": "none" });
    let shell = "curl -s -m 5 WORLD; echo $?";
    let commands = [
        shell,
        "docker run --rm alpine wget -T 5 -qO- WORLD 2>/dev/null; echo $?",
        "printf 'FROM alpine\nRUN wget -T 5 -qO- WORLD\n' >Dockerfile; docker build -q . 2>/dev/null | cut -c-7",
        "getent hosts registry-1.docker.io | wc -l; timeout 20 getent hosts name.invalid; echo $?",
    ];
    assert_snapshot!(check(Reach::World, &hub(), &world, &commands), @"
    -- reach
    $ curl -s -m 5 WORLD; echo $?
    the world
    0
    $ docker run --rm alpine wget -T 5 -qO- WORLD 2>/dev/null; echo $?
    the world
    0
    $ printf 'FROM alpine
    RUN wget -T 5 -qO- WORLD
    ' >Dockerfile; docker build -q . 2>/dev/null | cut -c-7
    sha256:
    $ getent hosts registry-1.docker.io | wc -l; timeout 20 getent hosts name.invalid; echo $?
    1
    2
    ");
    assert_snapshot!(check(Reach::World, &none, &world, &[shell]), @"
    -- reach
    $ curl -s -m 5 WORLD; echo $?
    the world
    0
    ");
    assert_snapshot!(check(Reach::Registries, &hub(), &world, &commands), @"
    -- reach
    $ curl -s -m 5 WORLD; echo $?
    7
    $ docker run --rm alpine wget -T 5 -qO- WORLD 2>/dev/null; echo $?
    1
    $ printf 'FROM alpine
    RUN wget -T 5 -qO- WORLD
    ' >Dockerfile; docker build -q . 2>/dev/null | cut -c-7
    $ getent hosts registry-1.docker.io | wc -l; timeout 20 getent hosts name.invalid; echo $?
    1
    2
    ");
    assert_snapshot!(check(Reach::Registries, &none, &world, &[shell]), @"
    -- reach
    $ curl -s -m 5 WORLD; echo $?
    7
    ");
}
