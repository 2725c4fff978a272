#!/usr/bin/python3
"""Breaks a site's databases again and again under writers, and counts what was acknowledged and is gone.

    test/chaos/chaos.py [--rounds 100] [--seed N] [--sabotage]

Each round kills or stops something at a random moment, waits until writes are acknowledged again and the cluster is whole, and looks for losses.
--sabotage switches the waiting for acknowledgements off before each round, behind the leader's back: then losses must be found.
Prints the time from each failure of the primary to the first write that was begun and acknowledged after it: median, p95, max.
"""

import argparse
import contextlib
import os
import random
import signal
import statistics
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

from database_site import DatabaseSite, Writers, assert_equal_everywhere  # noqa: E402  (its folder is named above)
from mariadb_cluster import SqlError  # noqa: E402
from raw_client import wait_until  # noqa: E402


SLOW_SECONDS = 8


class Chaos:
    def __init__(self, site, writers, randomness, is_sabotaged):
        self.site, self.writers, self.random, self.is_sabotaged = site, writers, randomness, is_sabotaged
        self.times = {}
        self.struck = 0.0  # when the last signal was sent: what was begun before it may have been answered before it

    def kill(self, *pids):
        """A pid of 0, of a mariadbd that does not run just now, would mean our own group."""
        self.signal(signal.SIGKILL, *pids)

    def signal(self, number, *pids):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                if pid > 1:
                    os.kill(pid, number)
        self.struck = time.monotonic()

    def replicas(self):
        return [server for server in self.site.databases if server != self.site.primary]

    # ---- what is done to it: each gives whether the primary is hit

    def primary_killed(self):
        self.kill(self.site.mariadbd(self.site.primary))

    def primary_stopped(self):
        self.signal(signal.SIGSTOP, self.site.mariadbd(self.site.primary))

    def primary_killed_while_replicas_are_stopped(self):
        pids = [self.site.mariadbd(server) for server in self.replicas()]
        self.signal(signal.SIGSTOP, *pids)
        self.pause(0.1)
        self.kill(self.site.mariadbd(self.site.primary))
        struck = self.struck
        self.signal(signal.SIGCONT, *pids)
        self.struck = struck

    def server_of_the_primary_killed(self):
        self.kill(self.site.serve_pid(self.site.primary))

    def replica_killed(self):
        self.kill(self.site.mariadbd(self.random.choice(self.replicas())))

    def primary_then_replica_killed(self):
        first, second = self.site.mariadbd(self.site.primary), self.site.mariadbd(self.random.choice(self.replicas()))
        self.kill(first)
        self.pause(self.random.uniform(0, 0.3))
        self.kill(second)

    def replica_then_primary_killed(self):
        second, first = self.site.mariadbd(self.site.primary), self.site.mariadbd(self.random.choice(self.replicas()))
        self.kill(first)
        self.pause(self.random.uniform(0, 0.3))
        self.kill(second)

    def leader_killed(self):
        leader = self.site.leader()
        if leader:
            self.kill(self.site.serve_pid(leader))

    def moved(self):
        self.site.verb("switchover")

    def bring_back(self):
        """What was acknowledged without a replica stays at the old primary: it has gone apart, and is ordered back."""

        def is_settled():
            for server, standing in self.site.topology()["members"].items():
                if standing == "diverged":
                    self.site.verb("rejoin", server, "--discard-extra")
            return self.site.is_whole()

        wait_until(is_settled, 180, f"all servers back; {self.site.topology()}")

    @staticmethod
    def pause(seconds):
        threading.Event().wait(seconds)  # for nothing: a random moment is what is wanted

    def round(self, number):
        kinds = [self.primary_killed, self.primary_killed, self.primary_killed_while_replicas_are_stopped]
        if not self.is_sabotaged:
            kinds += [self.primary_stopped, self.server_of_the_primary_killed, self.replica_killed, self.primary_then_replica_killed,
                      self.replica_then_primary_killed, self.leader_killed, self.moved]
        kind = self.random.choice(kinds)
        self.pause(self.random.uniform(0.05, 0.5))
        if self.is_sabotaged:
            with contextlib.suppress(SqlError):
                self.site.sql(self.site.primary, "SET GLOBAL rpl_semi_sync_master_enabled = 0")
        self.struck = time.monotonic()
        told = len(self.site.stderr())
        kind()
        began = self.struck
        first = wait_until(lambda: self.writers.first_after(began), 120, f"a write after {kind.__name__}; {self.site.topology()}")
        self.times.setdefault(kind.__name__, []).append(first - began)
        if first - began > SLOW_SECONDS:  # what the site said meanwhile tells why
            print(self.site.stderr()[told:][:20000], flush=True)
        if self.is_sabotaged:
            self.bring_back()
        self.site.wait_whole(180)
        print(f"{number:4} {kind.__name__:45} {first - began:7.3f} s  epoch {self.site.topology()['epoch']}", flush=True)


def report(times):
    everything = sorted(seconds for found in times.values() for seconds in found)
    for kind, found in [*sorted(times.items()), ("all", everything)]:
        found = sorted(found)
        print(f"{kind:45} n={len(found):<4} median={statistics.median(found):.3f} s  p95={found[int(0.95 * (len(found) - 1))]:.3f} s  max={found[-1]:.3f} s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--sabotage", action="store_true")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(1 << 30)
    print(f"seed {seed}")
    site = DatabaseSite(3)
    lost = 0
    try:
        site.start().wait_whole()
        with Writers(site) as writers:
            writers.wait_more()
            chaos = Chaos(site, writers, random.Random(seed), options.sabotage)
            for number in range(1, options.rounds + 1):
                chaos.round(number)
        lost = len(writers.lost(site.primary))
        report(chaos.times)
        print(f"acknowledged {writers.acknowledged()}, lost {lost}, failed {sum(len(writer.failed) for writer in writers.writers)}")
        if not options.sabotage:
            site.wait_whole()
            assert_equal_everywhere(site)
            print("all servers have the same rows")
    except AssertionError:
        print(site.journal()[-4000:], site.stderr()[-6000:], sep="\n")
        raise
    finally:
        site.finish()
    return 0 if (lost > 0) == options.sabotage else 1


if __name__ == "__main__":
    sys.exit(main())
