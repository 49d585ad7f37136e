//! What the text of a block and of its commands says: typed or printed, where, what is to be supplied, what a terminal sees.

mod blocks {
    use insta::assert_snapshot;
    use mdbook_rehearse::console::{self, Ending, Language, Place, Reading};

    /// Says what a block is; of a console each line, with what it is before it.
    fn check_as(language: Language, text: &str) -> String {
        let block = console::read(text, language);
        let mut said: Vec<String> = match &block.reading {
            Reading::Script => vec!["script".to_string()],
            Reading::Output(it) => vec![format!("output: {it}")],
            Reading::File(it) => vec![format!("file: {it}")],
            Reading::Foreign(it) => vec![format!("foreign: {it}")],
            Reading::Console(entries) => {
                let lines: Vec<&str> = text.lines().collect();
                let mut said = Vec::new();
                for entry in entries {
                    let place = match &entry.place {
                        Place::Host => "host".to_string(),
                        Place::Container => "container".to_string(),
                        Place::Root => "root".to_string(),
                        Place::Program(it) => it.clone(),
                    };
                    said.push(format!("{place}| {}", entry.text.replace('\n', "\n  … ")));
                    for line in &lines[entry.sample.clone()] {
                        said.push(format!("  {}", line.trim_end()).trim_end().to_string());
                    }
                    if entry.ending == Ending::Interrupted {
                        said.push("  -- interrupted".to_string());
                    }
                    for answer in &entry.answers {
                        said.push(format!("  -- answered {answer}"));
                    }
                }
                said
            }
        };
        said.extend(block.inferred.map(|it| format!("({it})")));
        said.join("\n")
    }

    #[track_caller]
    fn shell(text: &str) -> String {
        check_as(Language::Shell, text)
    }

    #[track_caller]
    fn unsaid(text: &str) -> String {
        check_as(Language::Unsaid, text)
    }

    /// The same for several blocks, each in a line.
    fn each(language: Language, texts: &[&str]) -> String {
        let lines = texts.iter().map(|it| {
            let said = check_as(language, it).replace('\n', " / ");
            format!("{} => {said}", it.replace('\n', "⏎"))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn prompted_lines_are_typed_and_the_rest_is_printed() {
        assert_snapshot!(shell("$ docker network create shop\n3f1c0a9b7d2e\n\n$ docker network ls\nNETWORK ID     NAME      DRIVER\n3f1c0a9b7d2e   shop      bridge\n"), @"
        host| docker network create shop
          3f1c0a9b7d2e
        host| docker network ls
          NETWORK ID     NAME      DRIVER
          3f1c0a9b7d2e   shop      bridge
        ");
    }

    #[test]
    fn prompts_of_hosts_are_told() {
        let texts = [
            "$ ls",
            "$",
            "$\tls",
            "$  docker ps",
            "$docker ps",
            "$DOCKER ps",
            "% docker ps",
            "ana@box:~$ ls",
            "ana@box:~/shop (main)$ make up",
            "root@box:~# apt update",
            "~/shop $ make",
            "[ana@box shop]$ ls",
            "ana@mac shop % ls",
            "(venv) $ pip list",
            "node1$ docker swarm init",
            "[node1] (local) root@192.168.0.3 ~\n$ docker ps",
            "bash-3.2$ docker ps",
            "> docker ps\nCONTAINER ID   IMAGE",
            "[my-bay] =>docker ps -a",
            "ana's box ❯ ls -l",
            "echo a > ls b",
        ];
        assert_snapshot!(each(Language::Console, &texts), @"
        $ ls => host| ls
        $ => output: a prompt where nothing is typed
        $	ls => host| ls
        $  docker ps => host| docker ps
        $docker ps => host| docker ps
        $DOCKER ps => output: words that are no program
        % docker ps => host| docker ps
        ana@box:~$ ls => host| ls
        ana@box:~/shop (main)$ make up => host| make up
        root@box:~# apt update => host| apt update
        ~/shop $ make => host| make
        [ana@box shop]$ ls => host| ls
        ana@mac shop % ls => host| ls
        (venv) $ pip list => host| pip list
        node1$ docker swarm init => host| docker swarm init
        [node1] (local) root@192.168.0.3 ~⏎$ docker ps => host| docker ps
        bash-3.2$ docker ps => host| docker ps
        > docker ps⏎CONTAINER ID   IMAGE => host| docker ps /   CONTAINER ID   IMAGE
        [my-bay] =>docker ps -a => host| docker ps -a
        ana's box ❯ ls -l => host| ls -l
        echo a > ls b => script / (lines without a prompt are taken for commands)
        ");
    }

    #[test]
    fn prompts_inside_containers_are_told() {
        let texts = [
            "/ # ls",
            "/app # ls",
            "/app $ ls",
            "root@0a1b2c3d4e5f:/# ls",
            "root@0a1b2c3d4e5f:/srv/app# ls",
            "[root@0a1b2c3d4e5f /]# ls",
            "node@0a1b2c3d4e5f:/app$ ls",
            "root@web:/# ls",
            "root@box:/mnt/shop# docker ps",
            "bash-5.1# ls",
            "sh-5.2$ ls",
        ];
        assert_snapshot!(each(Language::Shell, &texts), @"
        / # ls => container| ls
        /app # ls => container| ls
        /app $ ls => container| ls
        root@0a1b2c3d4e5f:/# ls => container| ls
        root@0a1b2c3d4e5f:/srv/app# ls => container| ls
        [root@0a1b2c3d4e5f /]# ls => container| ls
        node@0a1b2c3d4e5f:/app$ ls => container| ls
        root@web:/# ls => container| ls
        root@box:/mnt/shop# docker ps => host| docker ps
        bash-5.1# ls => container| ls
        sh-5.2$ ls => container| ls
        ");
    }

    #[test]
    fn prompts_of_programs_are_told() {
        let texts = [
            "mysql> show tables;",
            "MariaDB [(none)]> show tables;",
            "postgres=# \\dt",
            "shop=> select 1;",
            "127.0.0.1:6379> set a 1\nOK\n127.0.0.1:6379> ",
            "redis:6379> get a",
            ">>> print(1)\n1",
            "> use shop\nswitched to db shop\n> db.carts.find()",
            "1> select 1\n2> go",
        ];
        assert_snapshot!(each(Language::Unsaid, &texts), @r"
        mysql> show tables; => mysql>| show tables;
        MariaDB [(none)]> show tables; => MariaDB [(none)]>| show tables;
        postgres=# \dt => postgres=#| \dt
        shop=> select 1; => shop=>| select 1;
        127.0.0.1:6379> set a 1⏎OK⏎127.0.0.1:6379>  => 127.0.0.1:6379>| set a 1 /   OK /   127.0.0.1:6379>
        redis:6379> get a => redis:6379>| get a
        >>> print(1)⏎1 => >>>| print(1) /   1
        > use shop⏎switched to db shop⏎> db.carts.find() => >| use shop /   switched to db shop / >| db.carts.find()
        1> select 1⏎2> go => 1>| select 1 / 2>| go
        ");
    }

    #[test]
    fn statements_in_programs_go_on() {
        assert_snapshot!(unsaid("mysql> select a,\n    -> b from t;\n+---+\n"), @"
        mysql>| select a,
          … b from t;
          +---+
        ");
        assert_snapshot!(unsaid(">>> for a in 'xy':\n...     print(a)\n...\nx\ny\n"), @"
        >>>| for a in 'xy':
          …     print(a)
          … 
          x
          y
        ");
    }

    #[test]
    fn what_follows_an_opened_terminal_is_typed_inside() {
        assert_snapshot!(shell("$ docker run -it --rm alpine sh\n/ # id -u\n0\n/ # exit\n$ docker ps -q\n"), @"
        host| docker run -it --rm alpine sh
        container| id -u
          0
        container| exit
        host| docker ps -q
        ");
        assert_snapshot!(shell("$ docker exec -it web bash\n# ls /srv\nindex.html\n# exit\n"), @"
        host| docker exec -it web bash
        container| ls /srv
          index.html
        container| exit
        ");
        assert_snapshot!(shell("docker run -it debian bash\nroot@shop:/# hostname\nshop\nroot@shop:/# exit\n"), @"
        host| docker run -it debian bash
        container| hostname
          shop
        container| exit
        (lines before the first prompt are taken for commands)
        ");
        assert_snapshot!(shell("root@box:~# docker exec -it web sh\nroot@web:~# hostname\nweb\n"), @"
        host| docker exec -it web sh
        container| hostname
          web
        ");
    }

    #[test]
    fn a_prompt_where_nothing_is_typed_is_of_the_sample() {
        assert_snapshot!(shell("$ docker run -ti alpine\n/ #\n"), @"
        host| docker run -ti alpine
          / #
        ");
        assert_snapshot!(shell("/ # ping db\n64 bytes from 10.0.0.2\n^C\n1 packets transmitted\nroot@0a1b2c3d4e5f:/#\n"), @"
        container| ping db
          64 bytes from 10.0.0.2
          ^C
          1 packets transmitted
          root@0a1b2c3d4e5f:/#
          -- interrupted
        ");
        assert_snapshot!(shell("$\n"), @"output: a prompt where nothing is typed");
    }

    #[test]
    fn answers_are_found() {
        assert_snapshot!(shell("$ docker volume prune\nWARNING! This will remove all.\nAre you sure you want to continue? [y/N] y\nTotal reclaimed space: 0B\n"), @"
        host| docker volume prune
          WARNING! This will remove all.
          Are you sure you want to continue? [y/N] y
          Total reclaimed space: 0B
          -- answered y
        ");
        assert_snapshot!(shell("$ ssh box\nAre you sure you want to continue connecting (yes/no)? yes\n"), @"
        host| ssh box
          Are you sure you want to continue connecting (yes/no)? yes
          -- answered yes
        ");
    }

    #[test]
    fn commands_go_on_in_the_next_lines() {
        assert_snapshot!(shell("$ docker run -d \\\n    --name web \\\n    nginx\n0a1b2c3d4e5f\n"), @r"
        host| docker run -d \
          …     --name web \
          …     nginx
          0a1b2c3d4e5f
        ");
        assert_snapshot!(shell("$ docker run \\\n> -d nginx\n0a1b2c3d4e5f\n"), @r"
        host| docker run \
          … -d nginx
          0a1b2c3d4e5f
        ");
        assert_snapshot!(shell("$ cat > a <<EOF\n> one\n> > two\n>\n> EOF\n$ cat a\none\n"), @"
        host| cat > a <<EOF
          … one
          … > two
          … 
          … EOF
        host| cat a
          one
        ");
        assert_snapshot!(shell("$ cat > a <<EOF\none $ two\nEOF\n$ echo 'a\n# b'\n"), @"
        host| cat > a <<EOF
          … one $ two
          … EOF
        host| echo 'a
          … # b'
        ");
        assert_snapshot!(shell("$ for a in 1 2; do\n>   echo $a\n> done\n1\n2\n"), @"
        host| for a in 1 2; do
          …   echo $a
          … done
          1
          2
        ");
        assert_snapshot!(shell("$ docker stop <name> \\\n    <other-name>\n"), @r"
        host| docker stop <name> \
          …     <other-name>
        ");
    }

    #[test]
    fn what_never_ends_is_one_line() {
        assert_snapshot!(shell("$ echo it's done\ndone\n$ ls\n"), @"
        host| echo it's done
          done
        host| ls
        ");
        assert_snapshot!(shell("$ docker run \\\n"), @"host| docker run");
        assert_snapshot!(shell("$ docker run nginx \\\n\nIt may take a while.\n"), @"
        host| docker run nginx
          It may take a while.
        ");
    }

    #[test]
    fn comments_at_prompts_and_between_commands_stay_the_author_s() {
        assert_snapshot!(shell("# First\n$ ls\na\n\n# Then\n$ # look\nnothing\n$ pwd\n"), @"
        host| ls
          a
        host| pwd
        ");
    }

    #[test]
    fn a_script_of_its_language_is_whole_where_nothing_is_surely_output() {
        let text = "cd /tmp && mkdir x\nfalse\nmytool\nexit\n";
        assert_eq!(
            console::read(text, Language::Shell).reading,
            Reading::Script
        );
        assert_ne!(
            console::read(text, Language::Unsaid).reading,
            Reading::Script
        );
    }

    #[test]
    fn a_root_s_prompt_is_no_comment() {
        assert_snapshot!(shell("# docker ps -q\n0a1b2c3d4e5f\n# ls /srv\n"), @"
        root| docker ps -q
          0a1b2c3d4e5f
        root| ls /srv
        (`# ` is taken for the prompt of root)
        ");
        assert_snapshot!(shell("# docker is running now\ndocker ps\n"), @"script");
        assert_snapshot!(shell("# list them\nls\n"), @"script");
        assert_snapshot!(shell("# find the container\n"), @"script");
        assert_snapshot!(shell("$ docker ps\n# ls shows nothing\n$ ls\n"), @"
        host| docker ps
        host| ls
        ");
    }

    #[test]
    fn an_example_in_what_a_program_says_is_not_typed() {
        assert_snapshot!(shell("$ docker run hello\n\nHello!\n\nTry this:\n $ docker run -it ubuntu bash\n\nBye.\n"), @"
        host| docker run hello

          Hello!

          Try this:
           $ docker run -it ubuntu bash

          Bye.
        ");
        assert_snapshot!(unsaid("Hello from Docker!\n\nTry this:\n $ docker run -it ubuntu bash\n"), @"output: a sentence");
        assert_snapshot!(unsaid("$ docker logs web\nyarn run v1.22.19\n$ node server.js\nListening on 80\n"), @"
        host| docker logs web
          yarn run v1.22.19
          $ node server.js
          Listening on 80
        ");
        assert_snapshot!(unsaid("# earlier output omitted\n$ node server.js\nListening on 80\n"), @"output: words that are no program");
        assert_snapshot!(shell("cat > README <<EOF\n$ docker ps\nEOF\n"), @"script");
    }

    #[test]
    fn hands_that_slip_do_not_matter() {
        assert_snapshot!(shell("   $ docker ps -q\n   0a1b2c3d4e5f\n   $ docker ps -a\n"), @"
        host| docker ps -q
             0a1b2c3d4e5f
        host| docker ps -a
        ");
        assert_snapshot!(shell("$ cd shop\n $ make\n"), @"
        host| cd shop
        host| make
        ");
        assert_snapshot!(shell("$ ls \r\na\r\n$ pwd\r\n"), @"
        host| ls
          a
        host| pwd
        ");
    }

    #[test]
    fn other_shells_are_told() {
        let texts = [
            "PS C:\\shop> docker ps",
            "PS> docker ps",
            "C:\\shop>docker ps",
            "docker run -d `\n  -p 80:80 nginx",
            "docker run -d ^\n  -p 80:80 nginx",
            "$env:TAG = 'a'\ndocker pull nginx:$env:TAG",
            "Get-Content Dockerfile",
            "docker run -v %cd%:/app nginx",
            "echo `date` `id`",
        ];
        assert_snapshot!(each(Language::Shell, &texts), @r"
        PS C:\shop> docker ps => foreign: PowerShell
        PS> docker ps => foreign: PowerShell
        C:\shop>docker ps => foreign: the Windows command line
        docker run -d `⏎  -p 80:80 nginx => foreign: PowerShell
        docker run -d ^⏎  -p 80:80 nginx => foreign: the Windows command line
        $env:TAG = 'a'⏎docker pull nginx:$env:TAG => foreign: PowerShell
        Get-Content Dockerfile => foreign: PowerShell
        docker run -v %cd%:/app nginx => foreign: the Windows command line
        echo `date` `id` => script
        ");
    }

    #[test]
    fn scripts_are_believed_where_the_language_says_shell() {
        let texts = [
            "docker pull nginx",
            "dig db",
            "frobnicate --all",
            "frobnicate the-thing",
            "shop_up() {\n  docker compose up -d\n}\nshop_up",
            "TAG=1.0",
            "TAG=1.0 docker build -t shop:$TAG .",
            "./run.sh",
            "sudo -E docker ps",
            "if [ -f a ]; then\n  cat a\nfi",
            "(cd a && ls)",
            "[ -f a ] && cat a",
            "ls; pwd",
            "curl -s localhost | jq '.a'",
            "# only a comment",
            "",
        ];
        assert_snapshot!(each(Language::Shell, &texts), @"
        docker pull nginx => script
        dig db => script
        frobnicate --all => script
        frobnicate the-thing => script
        shop_up() {⏎  docker compose up -d⏎}⏎shop_up => script
        TAG=1.0 => script
        TAG=1.0 docker build -t shop:$TAG . => script
        ./run.sh => script
        sudo -E docker ps => script
        if [ -f a ]; then⏎  cat a⏎fi => script
        (cd a && ls) => script
        [ -f a ] && cat a => script
        ls; pwd => script
        curl -s localhost | jq '.a' => script
        # only a comment => script
         => script
        ");
    }

    #[test]
    fn output_alone_never_runs() {
        let texts = [
            "CONTAINER ID   IMAGE     COMMAND\n0a1b2c3d4e5f   nginx     \"nginx\"",
            "REPOSITORY   TAG\nnginx        latest",
            "PID USER TIME COMMAND\n1 root 0:00 sh",
            "0a1b2c3d4e5f",
            "root",
            "happy_cat",
            "hello from here",
            "bin   dev   etc",
            "uid=0(root) gid=0(root)",
            "total 8\ndrwxr-xr-x 2 root root 4096 a",
            "Untagged: nginx:latest",
            "service \"web\" deleted",
            "./shop/build/linux",
            "Error response from daemon: no",
            "docker: Error response from daemon: no",
            "ping: bad address 'db'",
            "latest: Pulling from library/nginx",
            "Step 1/2 : FROM nginx",
            "[+] Building 1.2s",
            "HTTP/1.1 200 OK\nServer: nginx",
            "[\n  {\n    \"Id\": \"1\"\n  }\n]",
            "{\"a\": 1}",
            ".\n├── a\n└── b",
            "+---+\n| a |",
            "web_1  | ready",
            "Docker version 27.0.1, build 1",
            "git version 2.43.0",
            "PATH=/usr/bin\nHOME=/root",
            "/usr/src/app",
            "docker is a tool",
            "make sure that it runs",
            "npm WARN deprecated a",
            "172.17.0.1 - - [1/Jan] \"GET /\" 200",
            "...",
        ];
        assert_snapshot!(each(Language::Shell, &texts), @r#"
        CONTAINER ID   IMAGE     COMMAND⏎0a1b2c3d4e5f   nginx     "nginx" => output: a table
        REPOSITORY   TAG⏎nginx        latest => output: a table
        PID USER TIME COMMAND⏎1 root 0:00 sh => output: a table
        0a1b2c3d4e5f => output: an ID
        root => output: words that are no program
        happy_cat => output: words that are no program
        hello from here => output: words that are no program
        bin   dev   etc => output: a table
        uid=0(root) gid=0(root) => output: words that are no program
        total 8⏎drwxr-xr-x 2 root root 4096 a => output: a listing of files
        Untagged: nginx:latest => output: what a removal prints
        service "web" deleted => output: what a removal prints
        ./shop/build/linux => output: a path
        Error response from daemon: no => output: an error message
        docker: Error response from daemon: no => output: an error message
        ping: bad address 'db' => output: an error message
        latest: Pulling from library/nginx => output: the progress of a pull or build
        Step 1/2 : FROM nginx => output: the progress of a pull or build
        [+] Building 1.2s => output: the progress of a pull or build
        HTTP/1.1 200 OK⏎Server: nginx => output: headers of HTTP
        [⏎  {⏎    "Id": "1"⏎  }⏎] => output: JSON
        {"a": 1} => file: JSON
        .⏎├── a⏎└── b => output: a drawing
        +---+⏎| a | => output: a drawing
        web_1  | ready => output: a log
        Docker version 27.0.1, build 1 => output: a sentence
        git version 2.43.0 => output: a version
        PATH=/usr/bin⏎HOME=/root => output: variables
        /usr/src/app => output: a path
        docker is a tool => output: words about a program
        make sure that it runs => output: words about a program
        npm WARN deprecated a => output: a log
        172.17.0.1 - - [1/Jan] "GET /" 200 => output: a line that begins with a number
        ... => output: an elision
        "#);
    }

    #[test]
    fn files_never_run() {
        let texts = [
            "FROM nginx\nCOPY . /srv",
            "# syntax=docker/dockerfile:1\nFROM nginx",
            "RUN apt-get update",
            "services:\n  web:\n    image: nginx",
            "web:\n  image: nginx",
            "import os\nprint(os.getcwd())",
            "def f():\n  return 1",
            "#!/bin/sh\nls",
            "<html>\n<p>a</p>",
            "server {\n  listen 80;\n}",
            "[mysqld]\nport = 1",
            "#include <stdio.h>",
            "SELECT 1;",
            "terraform {\n  backend \"a\" {}\n}",
            "up:\n\tdocker compose up",
        ];
        assert_snapshot!(each(Language::Shell, &texts), @r#"
        FROM nginx⏎COPY . /srv => file: a Dockerfile
        # syntax=docker/dockerfile:1⏎FROM nginx => file: a Dockerfile
        RUN apt-get update => file: a Dockerfile
        services:⏎  web:⏎    image: nginx => file: a Compose file
        web:⏎  image: nginx => file: YAML
        import os⏎print(os.getcwd()) => file: code
        def f():⏎  return 1 => file: code
        #!/bin/sh⏎ls => file: a script
        <html>⏎<p>a</p> => file: markup
        server {⏎  listen 80;⏎} => file: a configuration of nginx
        [mysqld]⏎port = 1 => file: a configuration file
        #include <stdio.h> => file: code
        SELECT 1; => file: SQL
        terraform {⏎  backend "a" {}⏎} => file: a configuration of Terraform
        up:⏎	docker compose up => file: a Makefile
        "#);
    }

    #[test]
    fn patterns_of_commands_never_run() {
        let texts = [
            "docker run [OPTIONS] IMAGE [COMMAND] [ARG...]",
            "docker run --net shop ...",
            "docker tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
            "$ docker network create [options] <name>",
            "docker compose COMMAND",
            "go test ./...",
            "docker ps\ndocker run [OPTIONS] IMAGE",
        ];
        assert_snapshot!(each(Language::Shell, &texts), @"
        docker run [OPTIONS] IMAGE [COMMAND] [ARG...] => output: a pattern of a command
        docker run --net shop ... => output: a pattern of a command
        docker tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG] => output: a pattern of a command
        $ docker network create [options] <name> => output: a pattern of a command
        docker compose COMMAND => output: a pattern of a command
        go test ./... => script
        docker ps⏎docker run [OPTIONS] IMAGE => host| docker ps / (patterns of commands are left out)
        ");
    }

    #[test]
    fn commands_and_what_they_print_are_told_apart_without_prompts() {
        assert_snapshot!(unsaid("docker network ls\nNETWORK ID     NAME\n0a1b2c3d4e5f   bridge\n"), @"
        host| docker network ls
          NETWORK ID     NAME
          0a1b2c3d4e5f   bridge
        (lines without a prompt are told apart by how they look)
        ");
        assert_snapshot!(unsaid("docker run -d nginx\n0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9\n\ndocker ps -q\n0a1b2c3d4e5f\n"), @"
        host| docker run -d nginx
          0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9
        host| docker ps -q
          0a1b2c3d4e5f
        (lines without a prompt are told apart by how they look)
        ");
        assert_snapshot!(shell("docker run --rm alpine env\nPATH=/usr/bin\nHOSTNAME=0a1b2c3d4e5f\n"), @"
        host| docker run --rm alpine env
          PATH=/usr/bin
          HOSTNAME=0a1b2c3d4e5f
        (lines without a prompt are told apart by how they look)
        ");
        assert_snapshot!(unsaid("docker run --rm alpine echo hi\nhi\n"), @"
        host| docker run --rm alpine echo hi
          hi
        (lines without a prompt are told apart by how they look)
        ");
        assert_snapshot!(unsaid("docker images\nREPOSITORY   TAG      SIZE\ndocker       latest   300MB\npython       3.12     1GB\n"), @"
        host| docker images
          REPOSITORY   TAG      SIZE
          docker       latest   300MB
          python       3.12     1GB
        (lines without a prompt are told apart by how they look)
        ");
    }

    #[test]
    fn without_a_language_commands_must_be_known() {
        let texts = [
            "docker pull nginx",
            "ls /",
            "cd shop\nmake up",
            "frobnicate --all",
            "root",
            "dig db",
            "bin  etc  lib",
            "docker",
            "DB_USER=shop\nDB_NAME=shop",
            "node_modules\n*.log",
            "# a\n",
        ];
        assert_snapshot!(each(Language::Unsaid, &texts), @"
        docker pull nginx => script / (lines without a prompt are taken for commands)
        ls / => script / (lines without a prompt are taken for commands)
        cd shop⏎make up => script / (lines without a prompt are taken for commands)
        frobnicate --all => output: words that are no program
        root => output: words that are no program
        dig db => script / (lines without a prompt are taken for commands)
        bin  etc  lib => output: words that are no program
        docker => script / (lines without a prompt are taken for commands)
        DB_USER=shop⏎DB_NAME=shop => file: a file of variables
        node_modules⏎*.log => output: words that are no program
        # a⏎ => output: a comment
        ");
    }
}

mod values {
    use std::process::{Command, Stdio};

    use insta::assert_snapshot;
    use mdbook_rehearse::placeholder;
    use proptest::prelude::*;

    /// Names of what each script asks for.
    fn check(scripts: &[&str]) -> String {
        let lines = scripts.iter().map(|script| {
            let found = placeholder::placeholders(script);
            let names: Vec<String> = found
                .into_iter()
                .map(
                    |(span, name)| match script[span.clone()] == format!("<{name}>") {
                        true => name,
                        false => format!("{name} ({})", &script[span]),
                    },
                )
                .collect();
            format!("{} => {}", script.replace('\n', "⏎"), names.join(", "))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn brackets_and_braces_ask_for_values() {
        assert_snapshot!(check(&[
            "docker logs [container id]",
            "docker push [dockerhub username]/shop",
            "docker rm [id]",
            "docker tag shop [your-name]/shop:[tag]",
            "docker stop {container_id}",
            "docker stop {your name}",
            "docker stop `<container_id>`",
            "docker stop `<container-id>` && docker rm `docker ps -q`",
        ]), @"
        docker logs [container id] => container id ([container id])
        docker push [dockerhub username]/shop => dockerhub username ([dockerhub username])
        docker rm [id] => id ([id])
        docker tag shop [your-name]/shop:[tag] => your-name ([your-name]), tag ([tag])
        docker stop {container_id} => container_id ({container_id})
        docker stop {your name} => your name ({your name})
        docker stop `<container_id>` => container_id (`<container_id>`)
        docker stop `<container-id>` && docker rm `docker ps -q` => container-id (`<container-id>`)
        ");
    }

    #[test]
    fn what_means_something_to_the_shell_asks_for_none() {
        assert_snapshot!(check(&[
            "[ -f a ] && [[ -n b_c ]]",
            "ls [a-z]* [abc] a[0] file[1]",
            "echo ${a[0]} ${a_b} $a_b {a,b} {1..3}",
            "docker ps --format '{{.ID}} {container_id}' --format {{.Names}}",
            "find . -exec rm {} \\;",
            "{ ls a_b; }",
            "git show HEAD@{u_p}",
            "docker run [OPTIONS] IMAGE",
            "curl -d \"[container id]\" '[your name]'",
            "# docker rm [container id] CONTAINER_ID",
        ]), @r#"
        [ -f a ] && [[ -n b_c ]] => 
        ls [a-z]* [abc] a[0] file[1] => 
        echo ${a[0]} ${a_b} $a_b {a,b} {1..3} => 
        docker ps --format '{{.ID}} {container_id}' --format {{.Names}} => 
        find . -exec rm {} \; => 
        { ls a_b; } => 
        git show HEAD@{u_p} => 
        docker run [OPTIONS] IMAGE => 
        curl -d "[container id]" '[your name]' => 
        # docker rm [container id] CONTAINER_ID =>
        "#);
    }

    #[test]
    fn words_ask_for_values() {
        assert_snapshot!(check(&[
            "docker push YOUR_NAME/shop",
            "docker tag shop yourname/shop:1.0",
            "docker tag shop your-username/shop",
            "docker pull YOUR_DOCKERHUB_ID/shop",
            "docker stop CONTAINER_ID && docker rmi IMAGE_ID",
            "docker exec container_id ls",
            "docker login -u USERNAME",
            "docker pull your-registry.example.com/shop",
            "curl -H \"token: YOUR_TOKEN\" localhost",
        ]), @r#"
        docker push YOUR_NAME/shop => YOUR_NAME (YOUR_NAME)
        docker tag shop yourname/shop:1.0 => yourname (yourname)
        docker tag shop your-username/shop => your-username (your-username)
        docker pull YOUR_DOCKERHUB_ID/shop => YOUR_DOCKERHUB_ID (YOUR_DOCKERHUB_ID)
        docker stop CONTAINER_ID && docker rmi IMAGE_ID => CONTAINER_ID (CONTAINER_ID), IMAGE_ID (IMAGE_ID)
        docker exec container_id ls => container_id (container_id)
        docker login -u USERNAME => USERNAME (USERNAME)
        docker pull your-registry.example.com/shop => your-registry (your-registry)
        curl -H "token: YOUR_TOKEN" localhost => YOUR_TOKEN (YOUR_TOKEN)
        "#);
    }

    #[test]
    fn words_that_have_a_value_ask_for_none() {
        assert_snapshot!(check(&[
            "docker stop $CONTAINER_ID ${IMAGE_ID}",
            "CONTAINER_ID=$(docker ps -q)\ndocker stop CONTAINER_ID",
            "docker run -e USERNAME=a -e USERNAME shop",
            "export USERNAME",
            "docker run --name yourname shop",
            "./yourapp --help",
            "echo yours your",
            "docker run username/shop",
            "docker inspect --format '{{.CONTAINER_ID}}' a",
        ]), @"
        docker stop $CONTAINER_ID ${IMAGE_ID} => 
        CONTAINER_ID=$(docker ps -q)⏎docker stop CONTAINER_ID => 
        docker run -e USERNAME=a -e USERNAME shop => 
        export USERNAME => 
        docker run --name yourname shop => 
        ./yourapp --help => 
        echo yours your => 
        docker run username/shop => 
        docker inspect --format '{{.CONTAINER_ID}}' a =>
        ");
    }

    #[test]
    fn values_are_quoted_for_where_they_stand() {
        let script = "a <your-x> \"<your-x>\" '<your-x>'\ncat <<EOF\n<your-x>\nEOF\n";
        let filled = |value: &str| placeholder::fill(script, &|_| Some(value.to_string())).unwrap();
        assert_snapshot!(filled("plain/1.0"), @r#"
        a plain/1.0 "plain/1.0" 'plain/1.0'
        cat <<EOF
        plain/1.0
        EOF
        "#);
        assert_snapshot!(filled("it's $HOME"), @r#"
        a 'it'\''s $HOME' "it's \$HOME" 'it'\''s $HOME'
        cat <<EOF
        it's \$HOME
        EOF
        "#);
    }

    #[test]
    fn what_has_no_value_or_no_place_for_it_is_told() {
        let told = |script: &str, value: Option<&str>| {
            let filled = placeholder::fill(script, &|_| value.map(str::to_string));
            filled.unwrap_err().join(", ")
        };
        assert_snapshot!(told("a <b> <c-d> <b>", None), @"b, c-d");
        assert_snapshot!(told("cat <<EOF\n<your-x>\nEOF\n", Some("EOF")), @"your-x");
        assert_snapshot!(told("cat <<EOF\n<your-x>\nEOF\n", Some("a\nEOF\nls")), @"your-x");
        assert_snapshot!(told("echo \"${a:-<your-x>}\"", Some("a")), @"your-x");
        assert_snapshot!(told("echo $<your-x>", Some("HOME")), @"your-x");
        assert_snapshot!(told("echo `printf <your-x>`", Some("a`ls`")), @"your-x");
    }

    /// Scripts with the value in every place that it can have, and what is printed around it.
    const SCRIPTS: &[(&str, &str, &str)] = &[
        ("printf '%s' <your-value>", "", ""),
        ("printf '%s' a<your-value>b", "a", "b"),
        ("printf '%s' [your value]", "", ""),
        ("printf '%s' {your_value}", "", ""),
        ("printf '%s' YOUR_VALUE/b", "", "/b"),
        ("printf '%s' `<your-value>`", "", ""),
        ("printf '%s' \"a <your-value> b\"", "a ", " b"),
        ("printf '%s' \"a YOUR_VALUE\"", "a ", ""),
        ("printf '%s' 'a <your-value> b'", "a ", " b"),
        ("printf '%s' \"\\\\<your-value>\"", "\\", ""),
        ("printf '%s' \"'<your-value>'\"", "'", "'"),
        ("printf '%s' \"$(printf '%s' <your-value>)\"", "", ""),
        ("printf '%s' \"$(printf '%s' \"<your-value>\")\"", "", ""),
        ("printf '%s' \"$(printf '%s' '<your-value>')\"", "", ""),
        ("printf '%s' \"`printf '%s' <your-value>`\"", "", ""),
        ("printf '%s' \"`printf '%s' '<your-value>'`\"", "", ""),
        (
            "printf '%s' \"$(case a in a) printf '%s' <your-value>;; esac)\"",
            "",
            "",
        ),
        ("printf '%s' $'a <your-value>'", "a ", ""),
        ("printf '%s' $'it\\'s <your-value>'", "it's ", ""),
        ("printf '%s' \"${none:-<your-value>}\"", "", ""),
        ("a=<your-value>; printf '%s' \"$a\"", "", ""),
        ("printf '%s' $<your-value>", "$", ""),
        ("printf '%s' \"$<your-value>\"", "$", ""),
        ("cat <<EOF\na <your-value> b\nEOF", "a ", " b\n"),
        ("cat <<EOF\n<your-value>\nb\nEOF", "", "\nb\n"),
        ("cat <<EOF\n\\<your-value>\nEOF", "\\", "\n"),
        ("cat <<EOF\n$<your-value>\nEOF", "$", "\n"),
        ("cat <<EOF\n$(printf '%s' <your-value>)\nEOF", "", "\n"),
        ("cat <<EOF\n`printf '%s' <your-value>`\nEOF", "", "\n"),
        ("cat <<EOF\n${none:-<your-value>}\nEOF", "", "\n"),
        ("cat <<'EOF'\n\\<your-value> $a\nEOF", "\\", " $a\n"),
        ("cat <<-EOF\n\t<your-value>\n\tEOF", "", "\n"),
        ("cat <<A; cat <<'B'\nA\n<your-value>\nB", "", "\n"),
        ("printf '%s' \"$(cat <<EOF\n<your-value>\nEOF\n)\"", "", ""),
    ];

    #[test]
    fn a_plain_value_is_put_in_wherever_it_is_text() {
        let refused = SCRIPTS
            .iter()
            .map(|it| it.0)
            .filter(|script| placeholder::fill(script, &|_| Some("a".to_string())).is_err());
        let refused: Vec<String> = refused.map(|it| it.replace('\n', "⏎")).collect();
        assert_snapshot!(refused.join("\n"), @r#"
        printf '%s' "${none:-<your-value>}"
        printf '%s' $<your-value>
        printf '%s' "$<your-value>"
        cat <<EOF⏎\<your-value>⏎EOF
        cat <<EOF⏎$<your-value>⏎EOF
        cat <<EOF⏎${none:-<your-value>}⏎EOF
        printf '%s' "$(cat <<EOF⏎<your-value>⏎EOF⏎)"
        "#);
    }

    fn value() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "a",
            "'",
            "\"",
            "\\",
            "$",
            "`",
            ";",
            "&",
            "|",
            " ",
            "\n",
            "#",
            "!",
            "*",
            "~",
            "{a,b}",
            "(",
            ")",
            "<",
            ">",
            "EOF",
            "B",
            "-n",
            "=",
            "é",
            "if",
            "}",
            "HOME",
            "$HOME",
            "$(touch ran)",
            "`touch ran`",
            ";touch ran;",
        ]);
        prop::collection::vec(piece, 1..6).prop_map(|it| it.concat())
    }

    /// What bash prints, in a folder that must stay empty.
    fn bash(script: &str) -> Result<String, TestCaseError> {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new("bash")
            .args(["--norc", "-c", script])
            .current_dir(folder.path())
            .env("HOME", "nobody's")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let n_files = std::fs::read_dir(folder.path()).unwrap().count();
        prop_assert_eq!(n_files, 0, "a part of the value ran");
        Ok(String::from_utf8(output.stdout).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn a_value_never_runs(value in value()) {
            for (script, before, after) in SCRIPTS {
                let Ok(filled) = placeholder::fill(script, &|_| Some(value.clone())) else {
                    continue;
                };
                let printed = bash(&filled)?;
                // A substitution drops the newlines at its end.
                let value = if script.contains("printf '%s' \"$(") { value.trim_end_matches('\n') } else { &value };
                prop_assert_eq!(printed, format!("{before}{value}{after}"), "{}", filled);
            }
        }

        #[test]
        fn arbitrary_text_can_be_filled(script in any::<String>(), value in any::<String>()) {
            let _ = placeholder::fill(&script, &|_| Some(value.clone()));
            let masked = placeholder::mask(&script);
            prop_assert_eq!(placeholder::placeholders(&masked), vec![]);
        }
    }
}

mod terminals {
    use insta::assert_snapshot;
    use mdbook_rehearse::bash;
    use mdbook_rehearse::interactive::{self, Behavior};

    /// What each command of the scripts does, but for those that end.
    fn check(scripts: &[&str]) -> String {
        let lines = scripts.iter().map(|script| {
            let invocations = bash::invocations(script);
            let behaviors = invocations.iter().map(interactive::behavior);
            let said: Vec<String> = behaviors
                .filter(|it| *it != Behavior::Ends)
                .map(|it| match it {
                    Behavior::Waits(it) => format!("Waits: {}", it.what),
                    it => format!("{it:?}"),
                })
                .collect();
            match said.is_empty() {
                true => format!("{script} => Ends"),
                false => format!("{script} => {}", said.join(", ")),
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn terminals_say_what_they_open() {
        assert_snapshot!(check(&[
            "docker run -it alpine",
            "docker run -i -t --rm alpine sh",
            "docker container run --interactive --tty debian /bin/bash -l",
            "docker exec -ti web bash",
            "docker exec -it db psql -U postgres",
            "docker exec -it web ls /srv",
            "docker exec -it web sh -c 'ls /srv'",
            "docker run -it alpine ping db",
            "docker exec -it web top",
            "docker run -it -p 8080:80 nginx",
            "docker run -it --entrypoint sh nginx",
            "docker compose exec web sh",
            "docker compose run --rm -it web python",
            "docker run -dit alpine",
            "docker exec -i db psql",
            "docker exec db psql -c 'select 1'",
            "echo 1 | docker exec -it db psql",
            "docker compose exec -T web sh",
        ]), @r#"
        docker run -it alpine => Terminal(Default)
        docker run -i -t --rm alpine sh => Terminal(Shell)
        docker container run --interactive --tty debian /bin/bash -l => Terminal(Shell)
        docker exec -ti web bash => Terminal(Shell)
        docker exec -it db psql -U postgres => Terminal(Program(["psql", "-U", "postgres"]))
        docker exec -it web ls /srv => Terminal(Program(["ls", "/srv"]))
        docker exec -it web sh -c 'ls /srv' => Terminal(Program(["sh", "-c", "ls /srv"]))
        docker run -it alpine ping db => Terminal(Endless(["ping", "db"]))
        docker exec -it web top => Terminal(Endless(["top"]))
        docker run -it -p 8080:80 nginx => Terminal(Endless([]))
        docker run -it --entrypoint sh nginx => Terminal(Shell)
        docker compose exec web sh => Terminal(Shell)
        docker compose run --rm -it web python => Terminal(Program(["python"]))
        docker run -dit alpine => Ends
        docker exec -i db psql => Ends
        docker exec db psql -c 'select 1' => Ends
        echo 1 | docker exec -it db psql => Ends
        docker compose exec -T web sh => Ends
        "#);
    }

    #[test]
    fn what_runs_until_ctrl_c_is_told() {
        assert_snapshot!(check(&[
            "docker logs -f web",
            "docker logs --tail 5 --follow web",
            "docker container logs -ft web",
            "docker service logs -f web",
            "docker compose logs -f",
            "docker logs web",
            "docker stats",
            "docker stats --no-stream",
            "docker events",
            "docker events --since 1h --until 0s",
            "docker attach web",
            "docker compose watch",
            "watch docker ps",
            "ping db",
            "ping -c 3 db",
            "docker run --rm alpine ping db",
            "docker exec web ping -c2 db",
            "docker exec web tail -f /var/log/a",
            "tail -n 5 a",
            "yes",
            "yes | docker system prune",
            "sleep infinity",
            "docker logs -f web &",
            "timeout 5 docker logs -f web",
        ]), @"
        docker logs -f web => Watches
        docker logs --tail 5 --follow web => Watches
        docker container logs -ft web => Watches
        docker service logs -f web => Watches
        docker compose logs -f => Watches
        docker logs web => Ends
        docker stats => Watches
        docker stats --no-stream => Ends
        docker events => Watches
        docker events --since 1h --until 0s => Ends
        docker attach web => Watches
        docker compose watch => Watches
        watch docker ps => Watches
        ping db => Watches
        ping -c 3 db => Ends
        docker run --rm alpine ping db => Watches
        docker exec web ping -c2 db => Ends
        docker exec web tail -f /var/log/a => Watches
        tail -n 5 a => Ends
        yes => Watches
        yes | docker system prune => Ends
        sleep infinity => Watches
        docker logs -f web & => Ends
        timeout 5 docker logs -f web => Ends
        ");
    }

    #[test]
    fn servers_hold_the_terminal() {
        assert_snapshot!(check(&[
            "docker run -p 8080:80 shop",
            "docker run -p 127.0.0.1:8080:80 -p 8443:443/tcp shop",
            "docker run -p 80 -P shop",
            "docker run -p 8000-8010:80 shop",
            "docker run --publish=8080:80 -d shop",
            "docker run --name cache redis:7-alpine",
            "docker run nginx nginx -v",
            "docker run -dp 8080:80 nginx",
            "docker compose up",
            "docker-compose -f a.yml up --build",
            "docker compose up -d",
            "docker compose up --wait",
            "docker compose up --abort-on-container-exit",
            "python3 -m http.server 8080",
            "python3 app.py",
            "flask run --port=8080",
            "npm start",
            "node server.js &",
            "npm run build",
        ]), @"
        docker run -p 8080:80 shop => Serves { ports: [8080] }
        docker run -p 127.0.0.1:8080:80 -p 8443:443/tcp shop => Serves { ports: [8080, 8443] }
        docker run -p 80 -P shop => Serves { ports: [] }
        docker run -p 8000-8010:80 shop => Serves { ports: [] }
        docker run --publish=8080:80 -d shop => Ends
        docker run --name cache redis:7-alpine => Serves { ports: [] }
        docker run nginx nginx -v => Ends
        docker run -dp 8080:80 nginx => Ends
        docker compose up => Serves { ports: [] }
        docker-compose -f a.yml up --build => Serves { ports: [] }
        docker compose up -d => Ends
        docker compose up --wait => Ends
        docker compose up --abort-on-container-exit => Ends
        python3 -m http.server 8080 => Serves { ports: [8080] }
        python3 app.py => Serves { ports: [] }
        flask run --port=8080 => Serves { ports: [8080] }
        npm start => Serves { ports: [] }
        node server.js & => Ends
        npm run build => Ends
        ");
    }

    #[test]
    fn questions_and_logins_are_told() {
        assert_snapshot!(check(&[
            "docker system prune -a",
            "docker system prune -af --volumes",
            "docker container prune --filter until=1h",
            "docker volume prune --force",
            "echo y | docker image prune",
            "docker plugin install a/b",
            "docker rm -f a",
            "apt-get update && apt-get install -y curl",
            "sudo apt install curl",
            "docker login",
            "docker login -u me ghcr.io",
            "docker login --username=me",
            "docker login -u me -p x",
        ]), @r#"
        docker system prune -a => Asks
        docker system prune -af --volumes => Ends
        docker container prune --filter until=1h => Asks
        docker volume prune --force => Ends
        echo y | docker image prune => Ends
        docker plugin install a/b => Asks
        docker rm -f a => Ends
        apt-get update && apt-get install -y curl => Ends
        sudo apt install curl => Asks
        docker login => LogsIn { host: None, user: None }
        docker login -u me ghcr.io => LogsIn { host: Some("ghcr.io"), user: Some("me") }
        docker login --username=me => LogsIn { host: None, user: Some("me") }
        docker login -u me -p x => Ends
        "#);
    }

    #[test]
    fn what_only_a_person_can_do_is_told() {
        assert_snapshot!(check(&[
            "vi a", "git commit", "git commit -am a", "less a", "top", "sudo su -", "read a", "docker start -ai a",
            "ssh-keygen", "ssh-keygen -N '' -f a", "openssl req -x509 -out a", "openssl req -x509 -subj /CN=a",
        ]), @"
        vi a => Waits: `vi` opens an editor
        git commit => Waits: `git` opens an editor for the message
        git commit -am a => Ends
        less a => Waits: `less` waits for the reader's keys
        top => Waits: `top` runs until a key is pressed
        sudo su - => Waits: `su` asks for a password
        read a => Waits: `read` waits for someone to type
        docker start -ai a => Waits: `docker start` with `-i` attaches the keyboard
        ssh-keygen => Waits: `ssh-keygen` asks for a file and a passphrase
        ssh-keygen -N '' -f a => Ends
        openssl req -x509 -out a => Waits: `openssl` asks for the names in the certificate
        openssl req -x509 -subj /CN=a => Ends
        ");
    }
}

mod laws {
    use mdbook_rehearse::console::{self, Language, Reading, Speaker};
    use proptest::prelude::*;

    /// Blocks of lines that are something each.
    fn block() -> impl Strategy<Value = String> {
        let line = prop::sample::select(vec![
            "$ docker ps",
            "/ # ls",
            "# ls",
            "mysql> select 1;",
            "> x",
            "",
            "  ",
            "0a1b2c3d4e5f",
            "a \\",
            "$ a \\",
            "$ cat <<EOF",
            "EOF",
            "echo 'a",
            "it's",
            "docker run -it alpine",
            "root@0a1b2c3d4e5f:/#",
            "^C",
            "FROM a",
            "a: b",
            "(",
            "((",
            "}",
            "for a in b; do",
            "done",
            "PS> a",
            "$",
            "    -> a",
            "[y/N] y",
            "\u{e9}\u{301}$ a",
        ]);
        prop::collection::vec(line, 0..12).prop_map(|it| it.join("\n"))
    }

    fn holds(text: &str) -> Result<(), TestCaseError> {
        for language in [Language::Shell, Language::Console, Language::Unsaid] {
            let Reading::Console(entries) = console::read(text, language).reading else {
                continue;
            };
            prop_assert!(!entries.is_empty());
            let lines = console::lines(text, &entries);
            let whole: Vec<String> = lines
                .iter()
                .map(|it| format!("{}{}", it.prompt, it.text))
                .collect();
            prop_assert_eq!(whole, text.lines().collect::<Vec<_>>());
            for entry in &entries {
                for (idx, typed) in entry.lines.clone().zip(entry.text.lines()) {
                    let line = &lines[idx];
                    prop_assert_eq!(line.speaker, Speaker::Person);
                    let typed = typed.trim_end().trim_end_matches('\\').trim_end();
                    // A line without a prompt keeps its indent, and a `\` that continues nothing.
                    prop_assert!(line.text.contains(typed), "{line:?} is not {typed:?}");
                }
            }
            let mut end = 0;
            for entry in entries {
                prop_assert!(end <= entry.lines.start && !entry.lines.is_empty());
                prop_assert!(
                    entry.lines.end <= entry.sample.start && entry.sample.start <= entry.sample.end
                );
                prop_assert!(!entry.text.is_empty() && !entry.text.contains('\r'));
                end = entry.sample.end;
            }
            prop_assert!(end <= text.lines().count());
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn every_line_is_of_one_thing(text in block()) {
            holds(&text)?;
        }

        #[test]
        fn arbitrary_text_does_no_harm(text in any::<String>()) {
            holds(&text)?;
        }
    }

    #[test]
    fn large_blocks_are_read() {
        for line in [
            "a 'b\n",
            "cat <<E\n",
            "$ cat <<E\n",
            "( ",
            "(",
            "a \\\n",
            "$ a\nb\n",
            "# ls\n",
            "x=(",
        ] {
            holds(&line.repeat(20 * 1024 / line.len())).unwrap();
        }
    }
}
