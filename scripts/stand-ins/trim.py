"""What is left out of the images: packages and paths."""

# Packages that dependencies name and these programs run without: apt is told that they are there already.
NOT_NEEDED = """
    adduser base-passwd debconf init-system-helpers iproute2 libc-bin libdebconfclient0 libllvm19 locales passwd perl
    perl-base postgresql-client-common postgresql-common sensible-utils ssl-cert sysvinit-utils ucf
    fonts-glyphicons-halflings libjs-bootstrap libjs-bootstrap4 libjs-d3 libjs-eonasdan-bootstrap-datetimepicker
    libjs-jquery libjs-jquery-hotkeys libjs-moment libjs-moment-timezone libjs-mustache libjs-popper.js
    libjs-rickshaw node-corepack node-xtend promtool
    default-mysql-client gawk gyp libdbi-perl libgpm2 libnode-dev lsb-base mariadb-common mysql-common openssl perlapi-5.40.1
    php php-gd php-getid3 php-mysql procps virtual-mysql-client
    node-icss-utils node-postcss node-postcss-modules-extract-imports node-postcss-modules-values node-postcss-value-parser
    webpack
""".split()

# What no image needs of a package. Licences stay (`*/copyright`).
DROP = """
    etc/apparmor.d/* etc/cron* etc/default/* etc/init.d/* etc/logcheck/* etc/logrotate.d/* etc/ufw/*
    usr/include/* usr/lib/*.a usr/lib/*/gconv/* usr/lib/*/perl*/* usr/lib/systemd/* usr/lib/tmpfiles.d/*
    usr/lib/sysusers.d/* usr/lib/postgresql/*/lib/llvmjit* usr/share/apport/* usr/share/bash-completion/*
    usr/share/bug/* usr/share/doc-base/* usr/share/i18n/* usr/share/info/* usr/share/initramfs-tools/*
    usr/share/lintian/* usr/share/locale/* usr/share/man/* usr/share/nodejs/@types/* usr/share/perl*
    usr/lib/go-*/pkg/tool/*/addr2line usr/lib/go-*/pkg/tool/*/dist* usr/lib/go-*/pkg/tool/*/nm
    usr/lib/go-*/pkg/tool/*/objdump usr/lib/go-*/pkg/tool/*/pprof usr/lib/go-*/pkg/tool/*/trace usr/share/go-*/api/*
    usr/share/go-*/misc/* usr/share/go-*/src/*_test.go usr/share/go-*/src/*/testdata/* usr/share/go-*/src/cmd/*
    usr/share/go-*/test/* usr/lib/python3*/EXTERNALLY-MANAGED usr/lib/python3*/test/*
    usr/share/postgresql/*/man/* usr/share/readline/* usr/share/vim/* usr/share/zoneinfo/right/*
""".split()

# The same of an image whose dpkg knows its packages: what Debian's own slim images leave out, and a little more.
DROP_MANAGED = """
    etc/cron* etc/logrotate.d/* usr/include/* usr/lib/*.a usr/lib/*/gconv/* usr/lib/systemd/* usr/share/bash-completion/*
    usr/share/bug/* usr/share/doc-base/* usr/share/i18n/* usr/share/info/* usr/share/lintian/* usr/share/locale/*
    usr/share/man/*
""".split()
