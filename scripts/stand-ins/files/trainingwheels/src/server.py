"""Counts its visits in the Redis called `redis`, for each of the hosts that serve them."""

import socket

import flask
import redis

app = flask.Flask(__name__)
HOST = socket.gethostname()


@app.route("/")
def index():
    try:
        store = redis.Redis("redis", decode_responses=True)
        count = store.zincrby("counters", 1, HOST)
        ladder = store.zrevrange("counters", 0, -1, withscores=True)
    except redis.exceptions.RedisError as error:
        return flask.render_template("error.html", error=error), 500
    return flask.render_template("index.html", host=HOST, count=int(count), ladder=[(it, int(n)) for it, n in ladder])


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
