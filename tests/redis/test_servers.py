# SPDX-License-Identifier: Apache-2.0
"""The ways to reach a Redis, and to be let in."""
import socket

import pytest

from authority import make_chain, make_pair
from client import Replica
from patience import wait_until
from redis_server import RedisServer, Sentinels

# What README and docs tell people to allow, and nothing beyond.
ACL = ("on >hunter2 ~kubecent:* &kubecent:* resetchannels &kubecent:* -@all +set +get +getrange +del +pttl +multi +exec +eval "
       "+publish +subscribe +select +role +auth")


def shares(url, **settings):
    """One replica leads and settles, another finds what it settled, after having waited for it."""
    with Replica(url, **settings) as one, Replica(url, **settings) as other:
        leader = one.claim("7d")
        assert leader.outcome == "leading", one.output()
        follower = other.begin("7d")
        wait_until(lambda: other.metric("kubecent_redis_lease_waits_total") == 1, "a follower")
        leader.settle("costs")
        assert follower.wait().words[:2] == ["found", "costs"]
    return True


def is_refused(url, reason, **settings):
    with Replica(url, **settings) as replica:
        assert replica.claim("7d").outcome == "absent"
        events = replica.wait_for_event("redis.unavailable")
        assert [event["reason"] for event in events] == [reason], events
        assert "hunter2" not in replica.output()
        return events[0]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Of a server, its key, and the authority behind both; and of an authority that knows nothing of them."""
    folder = tmp_path_factory.mktemp("tls")
    chain, key, authority = make_chain(folder)
    stranger, _ = make_pair(folder, "stranger")
    return (chain, key, authority), stranger


class TestPasswords:
    def test_one_for_all(self):
        with RedisServer(requirepass="hunter2") as redis:
            assert shares(redis.url)

    def test_of_a_user_with_just_the_rights_it_needs(self):
        with RedisServer(user=f"kubecent {ACL}") as redis:
            assert shares(f"redis://kubecent:hunter2@127.0.0.1:{redis.port}/0")

    def test_from_a_file(self, tmp_path):
        secret = tmp_path / "password"
        secret.write_text("hunter2\n")
        with RedisServer(requirepass="hunter2") as redis:
            assert shares(f"redis://127.0.0.1:{redis.port}", REDIS_PASSWORD_FILE=secret)

    def test_that_is_wrong_is_told_once_without_being_shown(self):
        with RedisServer(requirepass="right") as redis:
            event = is_refused(f"redis://:hunter2@127.0.0.1:{redis.port}", "auth")
            assert event["redis_url"] == f"redis://***@127.0.0.1:{redis.port}"

    def test_that_is_missing(self):
        with RedisServer(requirepass="right") as redis:
            is_refused(f"redis://127.0.0.1:{redis.port}", "auth")

    def test_that_is_not_asked_for(self, redis):
        # Redis itself: the default user takes any password, if it has none.
        with RedisServer() as open_to_all:
            is_refused(f"redis://nobody:hunter2@127.0.0.1:{open_to_all.port}", "auth")

    def test_that_is_repeated_by_a_redis_that_knows_no_log_in_is_not_shown(self):
        with RedisServer(rename_command="AUTH nobody-knows") as redis:
            event = is_refused(f"redis://user:hunter2@127.0.0.1:{redis.port}", "refused")
            assert "unknown command" in event["error"]

    @pytest.mark.parametrize("missing", ["+eval", "+multi", "+getrange", "+pttl", "&kubecent:*"])
    def test_of_a_user_who_may_not_do_all_is_found_out_at_once(self, missing):
        with RedisServer(user=f"kubecent {ACL.replace(missing, '')}") as redis:
            is_refused(f"redis://kubecent:hunter2@127.0.0.1:{redis.port}", "auth")

    def test_that_is_renewed_is_read_again(self, tmp_path):
        secret = tmp_path / "password"
        secret.write_text("old")
        with RedisServer(requirepass="old") as redis:
            with Replica(f"redis://127.0.0.1:{redis.port}", REDIS_PASSWORD_FILE=secret) as replica:
                replica.claim("7d").settle("costs")
                wait_until(lambda: replica.claim("7d").outcome == "found", "the value")
                redis.command("CONFIG", "SET", "requirepass", "new")
                redis.options["requirepass"] = "new"
                redis.command("CLIENT", "KILL", "TYPE", "normal")
                replica.wait_for_event("redis.unavailable")
                secret.write_text("renewed\n")
                (tmp_path / "next").write_text("new\n")
                (tmp_path / "next").rename(secret)
                replica.wait_for_event("redis.available")
                assert replica.claim("7d").outcome == "found"


class TestPlaces:
    def test_a_unix_socket(self):
        with RedisServer(unix=True) as redis:
            assert shares(redis.url)

    def test_a_name_rather_than_an_address(self, redis):
        assert shares(f"redis://localhost:{redis.port}")

    def test_an_ipv6_address(self):
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 loopback here")
        with RedisServer(bind="127.0.0.1 ::1") as redis:
            assert shares(f"redis://[::1]:{redis.port}")

    def test_a_database_of_many(self, redis):
        assert shares(f"redis://127.0.0.1:{redis.port}/5")
        assert redis.command("EXISTS", "kubecent:v:7d") == 0
        wire = redis.connect()
        wire.ask("SELECT", 5)
        assert wire.ask("EXISTS", "kubecent:v:7d") == 1
        wire.close()

    def test_a_database_that_is_none(self, redis):
        is_refused(f"redis://127.0.0.1:{redis.port}/99", "refused")

    def test_a_prefix_of_ones_own(self, redis):
        assert shares(redis.url, REDIS_PREFIX="one/")
        with Replica(redis.url, REDIS_PREFIX="two/") as stranger:
            assert stranger.claim("7d").outcome == "leading"
        assert redis.command("KEYS", "*") == ["one/v:7d"]

    def test_proxies_of_the_environment_are_ignored(self, redis):
        dead = "http://127.0.0.1:1"
        assert shares(redis.url, http_proxy=dead, all_proxy=dead, HTTPS_PROXY=dead)


class TestTls:
    def test_with_the_authority_named(self, certificates):
        tls, _ = certificates
        with RedisServer(tls=tls, requirepass="hunter2") as redis:
            assert shares(redis.url, REDIS_CA_FILE=tls[2])

    def test_large_values(self, certificates):
        tls, _ = certificates
        with RedisServer(tls=tls) as redis, Replica(redis.url, REDIS_CA_FILE=tls[2]) as replica:
            replica.claim("7d").settle_large(8 * 1024 * 1024)
            assert replica.claim("7d").words[:2] == ["found", str(8 * 1024 * 1024)]

    @pytest.mark.parametrize("is_named", [True, False])
    def test_with_a_certificate_of_an_unknown_authority(self, certificates, is_named):
        tls, stranger = certificates
        with RedisServer(tls=tls) as redis:
            is_refused(redis.url, "tls", **({"REDIS_CA_FILE": stranger} if is_named else {}))

    def test_where_there_is_none(self, certificates, redis):
        tls, _ = certificates
        with Replica(f"rediss://127.0.0.1:{redis.port}", REDIS_CA_FILE=tls[2]) as replica:
            assert replica.claim("7d").outcome == "absent"
            assert replica.wait_for_event("redis.unavailable")[0]["reason"] in ("tls", "timeout")

    def test_that_is_not_spoken_where_it_is_asked_for(self, certificates):
        tls, _ = certificates
        with RedisServer(tls=tls) as redis, Replica(f"redis://127.0.0.1:{redis.port}") as replica:
            assert replica.claim("7d").outcome == "absent"
            assert replica.wait_for_event("redis.unavailable")[0]["reason"] in ("connect", "protocol")


class TestSentinels:
    def test_name_the_master_and_the_one_after_it(self):
        with Sentinels() as group, Replica(group.url) as one, Replica(group.url) as other:
            leader = one.claim("7d")
            assert leader.outcome == "leading"
            leader.settle("costs")
            wait_until(lambda: group.replica.command("EXISTS", "kubecent:v:7d"), "the value at the replica")
            before = group.master.port
            group.master.kill()
            wait_until(lambda: group.master_port() not in (None, before), "a failover")
            wait_until(lambda: one.peek("7d").outcome == "value", "the value, from the new master")
            wait_until(lambda: other.claim("30d").outcome == "leading", "a lease, from the new master")

    def test_one_that_is_alive_is_enough(self):
        with Sentinels() as group:
            for sentinel in group.sentinels[:2]:
                sentinel.kill()
            assert shares(group.url)

    def test_a_master_that_became_a_replica_is_left(self):
        with Sentinels() as group, Replica(group.url) as replica:
            replica.claim("7d").settle("costs")
            wait_until(lambda: replica.claim("7d").outcome == "found", "the value")
            before = group.master.port
            group.sentinels[0].command("SENTINEL", "FAILOVER", Sentinels.MASTER)
            wait_until(lambda: group.master_port() not in (None, before), "a failover")
            wait_until(lambda: replica.claim("30d").outcome == "leading", "a lease, from the new master")

    def test_that_know_no_such_master(self):
        with Sentinels() as group:
            is_refused(group.url.replace("/shared/", "/another/"), "refused")

    def test_with_a_password_of_the_masters(self):
        with Sentinels(requirepass="hunter2", masterauth="hunter2") as group:
            assert shares(group.url)
