"""What is left out of the images: packages and paths."""

# Packages that dependencies name and these programs run without: apt is told that they are there already.
NOT_NEEDED = """
    adduser base-passwd debconf init-system-helpers iproute2 libc-bin libdebconfclient0 libllvm19 locales passwd perl
    perl-base postgresql-client-common postgresql-common sensible-utils ssl-cert sysvinit-utils ucf
    fonts-glyphicons-halflings libjs-bootstrap libjs-bootstrap4 libjs-d3 libjs-eonasdan-bootstrap-datetimepicker
    libjs-jquery libjs-jquery-hotkeys libjs-moment libjs-moment-timezone libjs-mustache libjs-popper.js
    libjs-rickshaw node-corepack node-xtend promtool
""".split()

# What no image needs of a package. Licences stay (`*/copyright`).
DROP = """
    etc/apparmor.d/* etc/cron* etc/default/* etc/init.d/* etc/logcheck/* etc/logrotate.d/* etc/ufw/*
    usr/include/* usr/lib/*.a usr/lib/*/gconv/* usr/lib/*/perl*/* usr/lib/systemd/* usr/lib/tmpfiles.d/*
    usr/lib/sysusers.d/* usr/lib/postgresql/*/lib/llvmjit* usr/share/apport/* usr/share/bash-completion/*
    usr/share/bug/* usr/share/doc-base/* usr/share/i18n/* usr/share/info/* usr/share/initramfs-tools/*
    usr/share/lintian/* usr/share/locale/* usr/share/man/* usr/share/nodejs/@types/* usr/share/perl*
    usr/share/postgresql/*/man/* usr/share/readline/* usr/share/vim/* usr/share/zoneinfo/right/*
""".split()
