# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL as an address manager: a table of two million addresses, of which each transaction takes one."""
import glob
import os
import pwd
import re
import subprocess

BIN = "/usr/lib/postgresql/15/bin"
ROWS = 2_000_000
CLIENTS = (1, 8, 16, 32, 64)

SETTINGS = """
listen_addresses = ''
fsync = on
synchronous_commit = on
shared_buffers = 1GB
max_wal_size = 8GB
max_connections = 100
"""

# The longest idle first, as a pool does by default.
TABLE = f"""
create table addresses (address inet primary key, idle_since bigint not null, holder text);
insert into addresses select '10.0.0.0'::inet + n, n, null from generate_series(0, {ROWS - 1}) n;
create index free on addresses (idle_since, address) where holder is null;
"""

TWO_STATEMENTS = """begin;
select address as taken from addresses where holder is null order by idle_since, address limit 1 for update skip locked \\gset
update addresses set holder = gen_random_uuid()::text where address = :taken;
end;
"""
ONE_STATEMENT = """update addresses set holder = gen_random_uuid()::text where address = (
  select address from addresses where holder is null order by idle_since, address limit 1 for update skip locked);
"""
SHAPES = {"two statements": TWO_STATEMENTS, "one statement": ONE_STATEMENT}


class Postgres:
    """A private cluster on a unix socket. Its server must not run as root."""

    def __init__(self, work_dir):
        self.dir = f"{work_dir}/postgres"
        os.mkdir(self.dir, 0o700)
        self.prefix = []
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.dir, user.pw_uid, user.pw_gid)
            self.prefix = ["runuser", "-u", "postgres", "--"]
        self._Run("initdb", "-D", f"{self.dir}/cluster", "-A", "trust", "-U", "postgres", "--no-sync")
        with open(f"{self.dir}/cluster/postgresql.conf", "a", encoding="utf-8") as out:
            out.write(SETTINGS + f"unix_socket_directories = '{self.dir}'\n")
        self._Run("pg_ctl", "-D", f"{self.dir}/cluster", "-l", f"{self.dir}/log", "-w", "start")
        self.Sql(TABLE)
        for name, text in SHAPES.items():
            with open(f"{self.dir}/{name}.sql", "w", encoding="utf-8") as out:
                out.write(text)
            os.chmod(f"{self.dir}/{name}.sql", 0o644)

    def Stop(self):
        self._Run("pg_ctl", "-D", f"{self.dir}/cluster", "-m", "immediate", "stop")

    def Sql(self, text):
        for statement in text.split(";"):
            if statement.strip():
                self._Run("psql", "-q", "-h", self.dir, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-c", statement)

    def Take(self, clients, seconds, shape):
        """Transactions a second, and their latencies, from a table that is whole again and vacuumed."""
        self.Sql("update addresses set holder = null where holder is not null; vacuum analyze addresses; checkpoint")
        done = self._Run("pgbench", "-h", self.dir, "-U", "postgres", "-n", "-M", "prepared", "-c", str(clients), "-j", "1",
                         "-T", str(seconds), "-f", f"{self.dir}/{shape}.sql", "-l", "--log-prefix", f"{self.dir}/took",
                         "postgres")
        took = []
        for path in glob.glob(f"{self.dir}/took.*"):
            with open(path, encoding="ascii") as lines:
                took += [int(line.split()[2]) for line in lines]
            os.unlink(path)
        took.sort()

        def At(share):
            return float(took[min(len(took) - 1, int(share * len(took)))])

        return {"mode": "postgres", "shape": shape, "connections": clients, "p50_us": At(0.5), "p99_us": At(0.99),
                "p999_us": At(0.999), "per_second": float(re.search(r"tps = ([0-9.]+)", done.stdout).group(1))}

    def Measure(self, seconds, say):
        """For each number of clients, with the shape of the two that is faster."""
        tries = [self.Take(8, min(seconds, 5), shape) for shape in SHAPES]
        shape = max(tries, key=lambda one: one["per_second"])["shape"]
        results = []
        for clients in CLIENTS:
            results.append(self.Take(clients, seconds, shape))
            say(f"PostgreSQL, {clients} clients, {shape}", results[-1])
        return results

    def _Run(self, program, *arguments):
        done = subprocess.run([*self.prefix, f"{BIN}/{program}", *arguments], text=True, cwd=self.dir,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stdout.strip()[-500:]}")
        return done
