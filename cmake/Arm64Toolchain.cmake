# For -DCMAKE_TOOLCHAIN_FILE: compiles for arm64 on another machine. The libraries are Debian's arm64 packages. They
# cannot be installed together with those of the machine itself, so that scripts/test-arm64 installs them in a separate
# root folder.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(PKG_CONFIG_EXECUTABLE /usr/bin/pkg-config)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
