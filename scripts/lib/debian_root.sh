# shellcheck shell=bash
# Functions for scripts that need a Debian other than that of this machine: a root folder made by debootstrap. The caller
# is root and has defined die().

# Makes a bare root folder of a release, unless the folder has one: make_root ROOT RELEASE LOG [ARCHITECTURE]. One of
# another architecture needs emulate_arm64.
make_root() {
  local root="$1" release="$2" log="$3" architecture="${4:-$(dpkg --print-architecture)}"
  [ ! -e "$root/.bare" ] || return 0
  debootstrap --variant=minbase --arch="$architecture" "$release" "$root" >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; die "debootstrap of $release failed; its last output is above"; }
  rm -f "$root/etc/resolv.conf"
  cp -L /etc/resolv.conf "$root/etc/"
  touch "$root/.bare"
}

# Runs a command in a root folder, with a /dev of its own: root_run ROOT [FOLDER=PLACE]... -- COMMAND. Each FOLDER of this
# machine is at PLACE in the root, read-only, or with a "+" in front, to be written.
root_run() {
  local root="$1" binds=()
  shift
  while [ "$1" != -- ]; do binds+=("$1"); shift; done
  shift
  unshare --mount --pid --fork --kill-child sh -c '
    set -e
    root="$1"
    shift
    mount -t proc proc "$root/proc"
    while [ "$1" != -- ]; do
      folder="${1%%=*}" place="${1#*=}" access=ro
      case "$folder" in +*) folder="${folder#+}" access=rw ;; esac
      mkdir -p "$root$place"
      mount --bind "$folder" "$root$place"
      mount -o "remount,bind,$access" "$root$place"
      shift
    done
    shift
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
      chroot "$root" "$@"
  ' sh "$root" ${binds[@]+"${binds[@]}"} -- "$@"
}

# Installs in the root what compiles Hansa; for arm64 a compiler for it and its libraries. install_build_packages ROOT
# ARCHITECTURE
install_build_packages() {
  local root="$1" architecture="$2" package tools=(cmake git ninja-build pkg-config file dpkg-dev patchelf) wanted
  wanted=("${tools[@]}" ccache)
  root_run "$root" -- apt-get update -qq || return 1
  if [ "$architecture" = arm64 ]; then
    root_run "$root" -- dpkg --add-architecture arm64 || return 1
    root_run "$root" -- apt-get update -qq || return 1
    wanted+=(g++-aarch64-linux-gnu)
  else
    wanted+=(g++)
  fi
  for package in $(scripts/install-packages --list build run); do
    case " ${tools[*]} g++ ccache " in *" $package "*) continue ;; esac
    # Some packages are the same for all processors.
    if [ "$architecture" = arm64 ] && root_run "$root" -- apt-cache show "$package:arm64" >/dev/null 2>&1; then
      package="$package:arm64"
    fi
    wanted+=("$package")
  done
  root_run "$root" -- apt-get install -y -qq --no-install-recommends "${wanted[@]}"
}

# Lets the kernel run programs of arm64, also inside of root folders.
emulate_arm64() {
  local register=/proc/sys/fs/binfmt_misc
  [ -e "$register/status" ] || mount -t binfmt_misc binfmt_misc "$register"
  [ -e "$register/qemu-aarch64" ] || update-binfmts --enable qemu-aarch64
  grep -q '^flags: .*F' "$register/qemu-aarch64" || die "$register/qemu-aarch64 does not work in another root folder (flag F is missing)"
}
