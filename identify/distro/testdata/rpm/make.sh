#!/bin/sh
# Builds the databases of this folder: four packages of our own, installed by rpm with --justdb into SQLite. The other two forms are made
# from the same headers: Berkeley DB by its own db_load in both byte orders, RPM's own by ndb.py, as rpm of Debian writes neither.
# Needs rpm 4.18, sqlite3, python3, db5.3_load.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export SOURCE_DATE_EPOCH=1700000000

spec() { # name, preamble lines on stdin, files as further arguments
	name=$1; shift
	{
		cat
		printf '%%description\n%s for tests.\n%%install\n' "$name"
		for f; do printf 'mkdir -p %%{buildroot}%s; echo %s > %%{buildroot}%s\n' "$(dirname "$f")" "$name" "$f"; done
		printf '%%files\n'
		for f; do printf '%s\n' "$f"; done
		[ "$name" != libflow ] || printf '%%dir /usr/share/libflow\n'
	} > "$name.spec"
	rpmbuild --quiet --define "_topdir $work" --define '_buildhost build.example' --define 'use_source_date_epoch_as_buildtime 1' \
		--define '__os_install_post %{nil}' --define '_build_id_links none' --define '_binary_payload w0.gzdio' \
		--target x86_64 -bb "$name.spec"
}

spec shell /bin/sh /etc/shells <<'S'
Name: shell
Version: 5.2
Release: 1
Summary: A shell
License: GPLv3+
Vendor: Example Medical
Provides: /usr/bin/sh
S
spec libflow /usr/lib64/libflow.so.1 /usr/share/libflow/table.bin <<'S'
Name: libflow
Epoch: 2
Version: 1.4.2
Release: 3.el9
Summary: Flow rate computation
License: MIT
Vendor: Example Medical
URL: https://example.com/flow
Group: System Environment/Libraries
Provides: libflow.so.1()(64bit)
Provides: flow(api) = 7
S
many=$(i=0; while [ $i -lt 300 ]; do echo /usr/share/pumpd/table/curve-$i.csv; i=$((i+1)); done)
spec pumpd /usr/sbin/pumpd /etc/pumpd.conf $many <<'S'
Name: pumpd
Version: 3.0
Release: 1.el9
Summary: Infusion pump daemon
License: Apache-2.0 AND MIT
Packager: Pump Team <pump@example.com>
ModularityLabel: pump:3:20230101:abcdef
Requires: libflow.so.1()(64bit), flow(api) >= 5, /bin/sh, missing-thing, (shell if libflow), config(pumpd)
Provides: config(pumpd) = 3.0-1.el9
S
spec pumpd-extra /usr/libexec/pumpd/extra <<'S'
Name: pumpd-extra
Version: 3.0
Release: 1.el9
Summary: More of it
License: MIT
Requires: pumpd = 3.0-1.el9, (shell or busybox), /usr/share/libflow/table.bin
S

db="$work/db-sqlite"
rpm --dbpath "$db" --define '_db_backend sqlite' --initdb
rpm --dbpath "$db" --define '_db_backend sqlite' -i --justdb --nodeps --nosignature --ignorearch RPMS/x86_64/*.rpm
sqlite3 db-sqlite/rpmdb.sqlite 'PRAGMA wal_checkpoint(TRUNCATE)' > /dev/null
gzip -9n < db-sqlite/rpmdb.sqlite > "$here/sqlite.gz"
python3 "$here/ndb.py" db-sqlite/rpmdb.sqlite Packages.db
gzip -9n < Packages.db > "$here/ndb.gz"
# the schema of 512-byte pages is a tree of several levels
sqlite3 db-sqlite/rpmdb.sqlite 'PRAGMA journal_mode=DELETE; PRAGMA page_size=512; VACUUM' > /dev/null
gzip -9n < db-sqlite/rpmdb.sqlite > "$here/sqlite-512.gz"
bdb() { # name, byte order, page size: on large pages short headers lie on the page itself
	{
		printf 'VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize=%s\ndb_lorder=%s\nHEADER=END\n' "$3" "$2"
		printf ' 00000000\n 04000000\n'
		sqlite3 db-sqlite/rpmdb.sqlite "SELECT printf(' %02x000000', hnum) || char(10) || ' ' || lower(hex(blob)) FROM Packages"
		printf 'DATA=END\n'
	} | db5.3_load "$work/Packages.$1"
	gzip -9n < "$work/Packages.$1" > "$here/$1.gz"
}
bdb bdb-1234 1234 4096
bdb bdb-4321 4321 4096
bdb bdb-16k 1234 16384
