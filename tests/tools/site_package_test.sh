#!/bin/bash
# Installs and purges the package of `hansa kit --deb`, with a stand-in for the package hansa-client, in a root folder of its
# own: an overlay of this machine's. Skipped without root, dpkg-deb or overlays.
#
#   site_package_test.sh FOLDER_OF_PROGRAMS
set -euo pipefail

if [ "${2:-}" != inside ]; then
  [ "$(id -u)" -eq 0 ] || { echo "skipped: needs root"; exit 77; }
  command -v dpkg-deb unshare >/dev/null || { echo "skipped: needs dpkg-deb and unshare"; exit 77; }
  exec unshare --mount bash "$0" "$1" inside
fi
export PATH="$1:$PATH"
mount --make-rprivate /
work="$(mktemp -d)"
trap 'cd /; umount -R "$work" 2>/dev/null || true; rmdir "$work"' EXIT
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$work/root" 2>/dev/null ||
  { echo "skipped: no overlay of / can be mounted"; exit 77; }
mount --rbind /dev "$work/root/dev"
mount -t proc proc "$work/root/proc"
cd "$work"

hansa new mine --clients a,b,c >/dev/null
hansa kit ward_3 --deb --folder mine --out "$work/ward.deb" >kit.txt
grep -q 'apt install' kit.txt
[ "$(stat -c %a ward.deb)" = 600 ] || { echo "others read the kit"; exit 1; }
[ "$(dpkg-deb -f ward.deb Package)" = hansa-site-ward-3 ]
[ "$(dpkg-deb -f ward.deb Depends)" = hansa-client ]
dpkg-deb -c ward.deb | grep -E '^-rw------- root/root .* ./var/lib/hansa-client/client.key$' >/dev/null
hansa kit ward_3 --deb --folder mine --out "$work/ward.deb" 2>/dev/null && { echo "a file is replaced"; exit 1; }
PATH="$1" hansa kit other --deb --folder mine >none.txt 2>&1 && { echo "dpkg-deb is not needed"; exit 1; }
grep -q 'needs dpkg-deb' none.txt
[ ! -e mine/admitted/other.pub ] || { echo "a client is added though its kit cannot be made"; exit 1; }

# The device: what hansa-client's package has of all this.
mkdir -p client/DEBIAN
printf 'Package: hansa-client\nVersion: 1\nArchitecture: all\nMaintainer: t <t@localhost>\nDescription: stand-in\n' >client/DEBIAN/control
printf '#!/bin/sh\nset -e\nid hansa-client >/dev/null 2>&1 || { echo hansa-client:x:64321:64321::/var/lib/hansa-client:/bin/false >>/etc/passwd; echo hansa-client:x:64321: >>/etc/group; }\n' >client/DEBIAN/postinst
chmod 755 client/DEBIAN/postinst
dpkg-deb --root-owner-group --build client root/client.deb >/dev/null
cp -p ward.deb root/ward.deb
in_root() { chroot "$work/root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
if in_root dpkg -i /ward.deb >/dev/null 2>&1; then echo "it installs without hansa-client"; exit 1; fi
in_root dpkg -i /client.deb /ward.deb >installed.txt 2>&1 || { cat installed.txt; exit 1; }
key=/var/lib/hansa-client/client.key
[ "$(in_root stat -c '%U %a' "$key")" = "hansa-client 600" ]
[ "$(in_root stat -c '%U %a' /var/lib/hansa-client)" = "hansa-client 700" ]
[ "$(in_root stat -c '%U %a' /etc/hansa/client.toml)" = "root 644" ]
grep -q 'key = "/var/lib/hansa-client/client.key"' root/etc/hansa/client.toml
cmp "root$key" mine/sites/ward_3/client.key
in_root dpkg -r hansa-site-ward-3 >/dev/null 2>&1
[ -e "root$key" ] || { echo "a removal takes the key"; exit 1; }
in_root dpkg -P hansa-site-ward-3 >/dev/null 2>&1
[ ! -e "root$key" ] && [ ! -e root/etc/hansa/client.toml ] || { echo "a purge leaves the key"; exit 1; }

# With the table [data]: nothing is left to fill in.
printf 'kind = "csv"\nfile = "/srv/pumps.csv"\nlabel = "state"\n' >data.txt
hansa kit ward_4 --deb --folder mine --data data.txt --out "$work/data.deb" >kit.txt
if grep -q 'fill in' kit.txt; then echo "something is left to fill in"; exit 1; fi
cp -p data.deb root/data.deb
in_root dpkg -i /data.deb >installed.txt 2>&1 || { cat installed.txt; exit 1; }
if grep -q 'fill in' installed.txt; then echo "the package has something to fill in"; exit 1; fi
grep -q 'file = "/srv/pumps.csv"' root/etc/hansa/client.toml
in_root dpkg -P hansa-site-ward-4 >/dev/null 2>&1
echo "the package of a site was installed, removed and purged"
