#!/bin/sh
# Puts WordPress into the working directory on the first start, with the settings that WORDPRESS_… name, then runs the command.
set -e
case $1 in
    apache2*)
        if [ ! -e index.php ]; then
            echo "Putting WordPress into $PWD" >&2
            cp -rL /usr/share/wordpress/. . 2>/dev/null || true
            rm -f wp-config.php
            [ "$(id -u)" != 0 ] || chown -R www-data:www-data .
        fi
        if [ ! -e wp-config.php ]; then
            echo "Putting wp-config.php there, which reads the variables WORDPRESS_…" >&2
            cp /usr/share/wordpress-docker/wp-config-docker.php wp-config.php
        fi
        ;;
esac
exec "$@"
