# External libraries, each as one target. All are Debian packages: scripts/packages.txt. This file is installed too,
# because programs that link hansa::client need the same libraries.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tl-expected REQUIRED)
find_package(cereal REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(hwy REQUIRED)

# For kinds of data: each is optional (learning/data/kinds).
pkg_check_modules(EXIF IMPORTED_TARGET libexif)
pkg_check_modules(HDF5 IMPORTED_TARGET hdf5-serial)
pkg_check_modules(KISSFFT IMPORTED_TARGET kissfft-float)
pkg_check_modules(PNG IMPORTED_TARGET libpng)
pkg_check_modules(SENTENCEPIECE IMPORTED_TARGET sentencepiece)
pkg_check_modules(SNDFILE IMPORTED_TARGET sndfile)
pkg_check_modules(TURBOJPEG IMPORTED_TARGET libturbojpeg)
pkg_check_modules(ZIP IMPORTED_TARGET libzip)

pkg_check_modules(MOSQUITTO REQUIRED IMPORTED_TARGET libmosquitto)
pkg_check_modules(SQLITE3 REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET libzmq)
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)
find_path(CPPZMQ_INCLUDE_DIR zmq.hpp REQUIRED)

# Torch's CMake files set global flags and print many lines. The target below has its include folders and libraries
# only.
find_package(Torch REQUIRED QUIET)
add_library(hansa_torch INTERFACE IMPORTED GLOBAL)
target_include_directories(hansa_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(hansa_torch INTERFACE ${TORCH_LIBRARIES})
if(HANSA_SANITIZE)
  # LibTorch does not export the type information of all its classes, which this check compares.
  target_compile_options(hansa_torch INTERFACE -fno-sanitize=vptr)
endif()
