//! What the engine of a sandbox can do, and what an exercise leaves in it.

use insta::assert_snapshot;
use mdbook_rehearse::transcript::Inventory;

use crate::{check, hub, plan, rehearse, show, step};

#[test]
fn what_an_exercise_leaves_is_counted() {
    let tidy = rehearse(&plan(vec![step("tidy", &["docker network ls -q"])]), hub());
    assert_eq!(tidy.left, Inventory::default());
    let untidy = step(
        "untidy",
        &[
            "docker swarm init >/dev/null; docker network create -d overlay far >/dev/null",
            "docker network create near >/dev/null; docker volume create data",
            "docker run -d alpine sleep 600 >/dev/null 2>&1; docker run -v /data alpine true",
            "docker tag alpine mine; docker pull -q busybox",
        ],
    );
    let untidy = rehearse(&plan(vec![untidy]), hub());
    let left = Inventory {
        containers: 2,
        images: 2,
        volumes: 2,
        networks: 2,
    };
    assert_eq!(untidy.left, left, "{}", show(&untidy));
}

#[test]
fn a_swarm_of_one_node_runs_services_and_stacks() {
    let ready = |service: &str, n: usize| {
        let running = format!("docker service ls -f name={service} --format '{{{{.Replicas}}}}'");
        format!("until [ \"$({running})\" = {n}/{n} ]; do sleep 0.1; done")
    };
    let get = |port: u16| {
        format!(
            "curl -s --retry 50 --retry-delay 1 --retry-all-errors localhost:{port} | grep -o '<h1>.*</h1>'"
        )
    };
    let stack = "services:\n  front:\n    image: nginx\n    ports: ['8081:80']\n    deploy:\n      replicas: 2\n  store:\n    image: redis";
    let commands = [
        "docker swarm init | grep -o 'Swarm initialized'; docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'",
        "docker service create -dq --name web --replicas 2 -p 8080:80 nginx >/dev/null",
        &ready("web", 2),
        "docker service ls --format '{{.Name}} {{.Mode}} {{.Image}} {{.Ports}}'",
        "docker service ps web --format '{{.Name}} {{.Node}} {{.DesiredState}}' | sort",
        &get(8080),
        "for _ in 1 2 3; do curl -s -o /dev/null localhost:8080; done; for it in $(docker ps -q); do docker logs $it 2>/dev/null | grep -q GET && echo served; done",
        &format!("cat >stack.yml <<'END'\n{stack}\nEND"),
        "docker stack deploy -d -c stack.yml app | sort",
        &format!("{}; {}", ready("app_front", 2), ready("app_store", 1)),
        "docker stack services app --format '{{.Name}} {{.Replicas}}' | sort; docker network ls -f driver=overlay --format '{{.Name}}' | sort",
        &get(8081),
        "docker exec $(docker ps -qf name=app_front.1) getent hosts tasks.store | wc -l",
        "docker stack rm app | sort; docker service rm web",
        "until [ -z \"$(docker ps -q)\" ]; do sleep 0.1; done; while curl -s -m 3 -o /dev/null localhost:8080; do sleep 0.1; done",
        "docker swarm leave 2>&1 | grep -o 'force'; docker swarm leave --force",
    ];
    assert_snapshot!(check(vec![step("swarm", &commands)], hub()), @r#"
    -- swarm
    $ docker swarm init | grep -o 'Swarm initialized'; docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'
    Swarm initialized
    rehearse Ready Leader
    $ docker service create -dq --name web --replicas 2 -p 8080:80 nginx >/dev/null
    $ until [ "$(docker service ls -f name=web --format '{{.Replicas}}')" = 2/2 ]; do sleep 0.1; done
    $ docker service ls --format '{{.Name}} {{.Mode}} {{.Image}} {{.Ports}}'
    web replicated nginx:latest *:8080->80/tcp
    $ docker service ps web --format '{{.Name}} {{.Node}} {{.DesiredState}}' | sort
    web.1 rehearse Running
    web.2 rehearse Running
    $ curl -s --retry 50 --retry-delay 1 --retry-all-errors localhost:8080 | grep -o '<h1>.*</h1>'
    <h1>Welcome to nginx!</h1>
    $ for _ in 1 2 3; do curl -s -o /dev/null localhost:8080; done; for it in $(docker ps -q); do docker logs $it 2>/dev/null | grep -q GET && echo served; done
    served
    served
    $ cat >stack.yml <<'END'
    services:
      front:
        image: nginx
        ports: ['8081:80']
        deploy:
          replicas: 2
      store:
        image: redis
    END
    $ docker stack deploy -d -c stack.yml app | sort
    Creating network app_default
    Creating service app_front
    Creating service app_store
    $ until [ "$(docker service ls -f name=app_front --format '{{.Replicas}}')" = 2/2 ]; do sleep 0.1; done; until [ "$(docker service ls -f name=app_store --format '{{.Replicas}}')" = 1/1 ]; do sleep 0.1; done
    $ docker stack services app --format '{{.Name}} {{.Replicas}}' | sort; docker network ls -f driver=overlay --format '{{.Name}}' | sort
    app_front 2/2
    app_store 1/1
    app_default
    ingress
    $ curl -s --retry 50 --retry-delay 1 --retry-all-errors localhost:8081 | grep -o '<h1>.*</h1>'
    <h1>Welcome to nginx!</h1>
    $ docker exec $(docker ps -qf name=app_front.1) getent hosts tasks.store | wc -l
    1
    $ docker stack rm app | sort; docker service rm web
    Removing network app_default
    Removing service app_front
    Removing service app_store
    web
    $ until [ -z "$(docker ps -q)" ]; do sleep 0.1; done; while curl -s -m 3 -o /dev/null localhost:8080; do sleep 0.1; done
    $ docker swarm leave 2>&1 | grep -o 'force'; docker swarm leave --force
    force
    Node left the swarm.
    "#);
}

#[test]
fn everything_can_be_removed_at_once() {
    let commands = [
        "docker run -d --name one alpine sleep 600 >/dev/null 2>&1; docker run --name two alpine true",
        "docker network create idle >/dev/null; docker volume create kept; docker run -v /data --name three alpine",
        "docker rm -f $(docker ps -aq) | wc -l; docker ps -aq",
        "docker system prune -f; docker images --format '{{.Repository}}'; docker volume ls --format '{{.Name}}' | grep kept",
        "docker system prune -f --all --volumes | tail -1 | cut -d: -f1; docker images -q; docker network ls --format '{{.Name}}' | sort",
        "docker volume prune -f --all | head -2; docker volume ls -q",
    ];
    assert_snapshot!(check(vec![step("remove", &commands)], hub()), @"
    -- remove
    $ docker run -d --name one alpine sleep 600 >/dev/null 2>&1; docker run --name two alpine true
    $ docker network create idle >/dev/null; docker volume create kept; docker run -v /data --name three alpine
    kept
    $ docker rm -f $(docker ps -aq) | wc -l; docker ps -aq
    3
    $ docker system prune -f; docker images --format '{{.Repository}}'; docker volume ls --format '{{.Name}}' | grep kept
    Deleted Networks:
    idle

    Total reclaimed space: 0B
    alpine
    kept
    $ docker system prune -f --all --volumes | tail -1 | cut -d: -f1; docker images -q; docker network ls --format '{{.Name}}' | sort
    Total reclaimed space
    bridge
    host
    none
    $ docker volume prune -f --all | head -2; docker volume ls -q
    Deleted Volumes:
    kept
    ");
}

#[test]
fn a_port_is_free_again_for_the_next_exercise() {
    let commands = [
        "docker run -d -p 80:80 nginx >/dev/null 2>&1",
        "curl -s --retry 50 --retry-delay 1 --retry-all-errors localhost | grep -o '<h1>.*</h1>'",
    ];
    let one = check(vec![step("publish", &commands)], hub());
    let other = check(vec![step("publish", &commands)], hub());
    assert_eq!(one, other);
    assert_snapshot!(other, @"
    -- publish
    $ docker run -d -p 80:80 nginx >/dev/null 2>&1
    $ curl -s --retry 50 --retry-delay 1 --retry-all-errors localhost | grep -o '<h1>.*</h1>'
    <h1>Welcome to nginx!</h1>
    ");
}

#[test]
fn compose_builds_starts_and_removes() {
    let compose = "services:\n  web:\n    build: .\n    ports: ['8080:80']\n    depends_on: [store]\n  store:\n    image: redis\n    volumes: ['data:/data']\nvolumes:\n  data:";
    let commands = [
        &format!("cat >compose.yaml <<'END'\n{compose}\nEND"),
        "printf 'FROM nginx:alpine\\nCOPY page.html /usr/share/nginx/html/index.html\\n' >Dockerfile; echo built >page.html",
        "docker compose up -d >/dev/null 2>&1; echo $?",
        "docker compose ps --format '{{.Service}} {{.State}}' | sort",
        "curl -s --retry 50 --retry-delay 1 --retry-all-errors localhost:8080",
        "docker compose exec -T store redis-cli set key value; docker compose restart store 2>/dev/null; until docker compose exec -T store redis-cli ping 2>/dev/null; do sleep 0.1; done",
        "echo changed >page.html; docker compose up -d --build >/dev/null 2>&1; curl -s --retry 50 --retry-delay 1 --retry-all-errors localhost:8080",
        "docker compose down --volumes 2>/dev/null; docker ps -aq; docker volume ls -q; docker network ls -q | wc -l",
    ];
    assert_snapshot!(check(vec![step("compose", &commands)], hub()), @r#"
    -- compose
    $ cat >compose.yaml <<'END'
    services:
      web:
        build: .
        ports: ['8080:80']
        depends_on: [store]
      store:
        image: redis
        volumes: ['data:/data']
    volumes:
      data:
    END
    $ printf 'FROM nginx:alpine\nCOPY page.html /usr/share/nginx/html/index.html\n' >Dockerfile; echo built >page.html
    $ docker compose up -d >/dev/null 2>&1; echo $?
    0
    $ docker compose ps --format '{{.Service}} {{.State}}' | sort
    store running
    web running
    $ curl -s --retry 50 --retry-delay 1 --retry-all-errors localhost:8080
    built
    $ docker compose exec -T store redis-cli set key value; docker compose restart store 2>/dev/null; until docker compose exec -T store redis-cli ping 2>/dev/null; do sleep 0.1; done
    OK
    PONG
    $ echo changed >page.html; docker compose up -d --build >/dev/null 2>&1; curl -s --retry 50 --retry-delay 1 --retry-all-errors localhost:8080
    changed
    $ docker compose down --volumes 2>/dev/null; docker ps -aq; docker volume ls -q; docker network ls -q | wc -l
    3
    "#);
}

#[test]
fn an_image_is_built_on_one_of_a_registry() {
    let commands = [
        "printf 'FROM busybox\\nRUN echo built >/file\\nCMD [\"cat\", \"/file\"]\\n' >Dockerfile",
        "docker build -t mine . 2>&1 | grep -oE 'load metadata for [^ ]+|RUN .*|naming to [^ ]+' | uniq",
        "docker run --rm mine; docker build -t mine . 2>&1 | grep -c CACHED",
        "DOCKER_BUILDKIT=0 docker build -t former . 2>&1 | grep -E '^(Step|Successfully tagged)'; docker run --rm former",
    ];
    assert_snapshot!(check(vec![step("build", &commands)], hub()), @r#"
    -- build
    $ printf 'FROM busybox\nRUN echo built >/file\nCMD ["cat", "/file"]\n' >Dockerfile
    $ docker build -t mine . 2>&1 | grep -oE 'load metadata for [^ ]+|RUN .*|naming to [^ ]+' | uniq
    load metadata for docker.io/library/busybox:latest
    RUN echo built >/file
    naming to docker.io/library/mine
    $ docker run --rm mine; docker build -t mine . 2>&1 | grep -c CACHED
    built
    1
    $ DOCKER_BUILDKIT=0 docker build -t former . 2>&1 | grep -E '^(Step|Successfully tagged)'; docker run --rm former
    Step 1/3 : FROM busybox
    Step 2/3 : RUN echo built >/file
    Step 3/3 : CMD ["cat", "/file"]
    Successfully tagged former:latest
    built
    "#);
}

#[test]
fn d10_networks_that_an_exercise_makes_hide_no_registry() {
    // As many as the engine has of the addresses that it takes by itself: 172.17 to 172.31, and 192.168.
    let steps = vec![step(
        "networks",
        &[
            "for it in $(seq 20); do docker network create net-$it >/dev/null; done",
            "docker pull -q alpine",
        ],
    )];
    let shown = show(&rehearse(&plan(steps), hub()));
    assert!(
        shown.ends_with("docker.io/library/alpine:latest\n"),
        "{shown}"
    );
}
