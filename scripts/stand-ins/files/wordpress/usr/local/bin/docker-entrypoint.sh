#!/bin/sh
# Puts WordPress into the working directory on the first start, with the settings that WORDPRESS_… name, then runs the command.
set -e
case $1 in
    apache2*)
        if [ ! -e index.php ] && [ ! -e wp-includes/version.php ]; then
            echo "WordPress not found in $PWD - copying now..." >&2
            cp -rL /usr/share/wordpress/. . 2>/dev/null || true
            rm -f wp-config.php
            [ "$(id -u)" != 0 ] || chown -R www-data:www-data .
            echo "Complete! WordPress has been successfully copied to $PWD" >&2
        fi
        if [ ! -e wp-config.php ]; then
            echo "No 'wp-config.php' found in $PWD, but 'WORDPRESS_...' variables supplied; copying 'wp-config-docker.php'" >&2
            cp /usr/share/wordpress-docker/wp-config-docker.php wp-config.php
        fi
        ;;
esac
exec "$@"
