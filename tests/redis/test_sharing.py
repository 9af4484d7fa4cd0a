# SPDX-License-Identifier: Apache-2.0
"""What replicas share through Redis: values, leases, failures."""
import signal
import time

import pytest

from client import Replica
from patience import PATIENCE, wait_until


class TestValues:
    def test_nothing_there_makes_the_first_to_ask_lead(self, replica):
        assert replica.claim("7d").outcome == "leading"

    def test_what_one_settled_another_finds(self, replica, another):
        replica.claim("7d").settle("costs")
        claim = wait_until(lambda: (found := another.claim("7d")).outcome == "found" and found, "the value")
        assert claim.words[1] == "costs"

    def test_its_age_is_counted_by_redis_alone(self, redis, replica, another):
        replica.claim("7d").settle("costs", keep_ms=100_000)
        wait_until(lambda: redis.command("EXISTS", "kubecent:v:7d"), "the value")
        redis.command("PEXPIRE", "kubecent:v:7d", 40_000)  # as if a minute had passed there
        age = int(another.claim("7d").words[2])
        assert 60_000 <= age < 65_000

    def test_it_is_gone_after_its_time(self, redis, replica):
        replica.claim("7d").settle("costs", keep_ms=50)
        wait_until(lambda: not redis.command("KEYS", "kubecent:?:7d"), "the end of everything about it")
        assert replica.claim("7d").outcome == "leading"

    def test_one_that_is_not_wanted_is_as_good_as_none(self, replica, another):
        replica.claim("7d").settle("old")
        another.want("new")
        assert wait_until(lambda: another.claim("7d").outcome == "leading" or None, "the lease")

    def test_peeking_takes_no_lease(self, replica, another):
        assert replica.peek("7d").outcome == "nothing"
        claim = another.claim("7d")
        assert claim.outcome == "leading"
        assert replica.peek("7d").outcome == "nothing"
        claim.settle("costs")
        assert wait_until(lambda: replica.peek("7d").words[:2] == ["value", "costs"], "the value")

    @pytest.mark.parametrize("length", [0, 1, 16 * 1024 * 1024])
    def test_of_any_size_travel(self, replica, another, length):
        replica.claim("7d").settle_large(length)
        claim = another.claim("7d")
        assert claim.outcome == "found"
        if length > 1000:
            assert claim.words[1] == str(length)


class TestLeases:
    def test_only_one_replica_leads_and_the_others_get_what_it_settles(self, replica, another):
        leader = replica.claim("7d")
        followers = [another.begin("7d") for _ in range(50)] + [replica.begin("7d") for _ in range(50)]
        wait_until(lambda: another.metric("kubecent_redis_lease_waits_total") == 50, "followers that wait")
        assert not any(follower.outcome for follower in followers)
        leader.settle("costs")
        assert {follower.wait().words[1] for follower in followers} == {"costs"}

    def test_followers_are_told_and_need_not_poll(self, redis, replica, another):
        """Told by hand, while the lease is held still: who polls sees that it is, and looks no further."""
        assert replica.claim("7d").outcome == "leading"
        follower = another.begin("7d")
        wait_until(lambda: redis.command("PUBSUB", "NUMSUB", "kubecent:settled")[1] == 1, "a subscription")
        replica.claim("30d").settle("costs")
        wait_until(lambda: redis.command("COPY", "kubecent:v:30d", "kubecent:v:7d"), "a value")
        redis.command("PUBLISH", "kubecent:settled", "7d")
        assert follower.wait().words[:2] == ["found", "costs"]

    def test_followers_fail_with_the_leaders_error(self, replica, another):
        leader = replica.claim("7d")
        follower = another.begin("7d")
        wait_until(lambda: another.metric("kubecent_redis_lease_waits_total") == 1, "a follower")
        leader.fail("upstream_timeout", "no answer within 30 s")
        assert follower.wait().words == ["failed", "upstream_timeout", "no answer within 30 s"]

    def test_a_failure_is_no_answer_to_those_who_come_later(self, replica, another):
        replica.claim("7d").fail("upstream_timeout", "no answer")
        wait_until(lambda: another.claim("7d", 0).outcome == "leading", "the lease")

    def test_a_lease_that_is_given_back_goes_to_one_who_waits(self, replica, another):
        leader = replica.claim("7d")
        followers = [another.begin("7d"), another.begin("7d")]
        wait_until(lambda: another.metric("kubecent_redis_lease_waits_total") == 2, "followers")
        leader.release()
        wait_until(lambda: sorted(str(one.outcome) for one in followers) == ["None", "leading"], "one leader")

    def test_a_leader_that_dies_is_missed_after_a_lease(self, redis, another):
        with Replica(redis.url) as doomed:
            assert doomed.claim("7d").outcome == "leading"
            doomed.kill()
            began = time.monotonic()
            assert another.claim("7d").outcome == "leading"
            assert time.monotonic() - began < 11 * PATIENCE

    def test_a_leader_that_was_suspended_replaces_nothing_newer(self, replica, another):
        leader = replica.claim("7d")
        replica.process.send_signal(signal.SIGSTOP)
        another.claim("7d").settle("new")
        wait_until(lambda: another.peek("7d").words[:2] == ["value", "new"], "the value")
        replica.process.send_signal(signal.SIGCONT)
        leader.settle("old")
        assert replica.claim("30d").outcome == "leading"  # behind whatever there was to be stored
        assert another.peek("7d").words[:2] == ["value", "new"]

    def test_a_long_fetch_keeps_its_lease(self, redis, replica):
        replica.claim("7d")
        redis.command("PEXPIRE", "kubecent:l:7d", 3000)  # less than it would live without being prolonged
        wait_until(lambda: redis.command("PTTL", "kubecent:l:7d") > 7000, "a prolonged lease")

    def test_who_waits_longest_goes_on_without(self, replica, another):
        assert replica.claim("7d").outcome == "leading"
        assert another.claim("7d", 300).outcome == "absent"

    def test_a_cancelled_claim_leaves_no_lease_behind(self, redis, replica, another):
        claims = []
        for number in range(50):
            claims.append(replica.begin(f"key{number}"))
            claims[-1].cancel()
        replica.metric("kubecent_redis_up")  # orders are obeyed in turn: from here on they are cancelled
        for claim in claims:
            if claim.outcome == "leading":  # that came too late
                claim.release()
        assert replica.claim("7d").outcome == "leading"
        assert [another.claim(f"key{number}", 5000).outcome for number in range(50)] == ["leading"] * 50

    def test_stopping_gives_leases_back(self, redis, another):
        with Replica(redis.url) as leaving:
            assert leaving.claim("7d").outcome == "leading"
        assert redis.command("EXISTS", "kubecent:l:7d") == 0
        assert another.claim("7d").outcome == "leading"
