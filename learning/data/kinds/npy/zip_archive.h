// A zip archive, whose members may be stored or deflated.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "common/error.h"

struct zip;
struct zip_file;

namespace hansa::learning::kinds {

struct ZipMember {
  std::string name;  // as it is in the file: not checked
  std::uint64_t bytes = 0;  // uncompressed; not more than the compressed bytes can become
};

// Reads a member from its begin to its end. Use it before the archive is closed.
class ZipStream {
 public:
  ZipStream(zip_file* file, std::string location) : file_(file), location_(std::move(location)) {}
  // Fills out. Fails (data) if the member ends earlier or is damaged.
  [[nodiscard]] Result<void> read(std::span<std::byte> out);
  // Fails (data) if there are more bytes or the checksum is not that of the bytes. Call it after all bytes were read.
  [[nodiscard]] Result<void> expect_end();

 private:
  struct Close {
    void operator()(zip_file* file) const;
  };
  [[nodiscard]] tl::unexpected<Error> bad(const std::string& what) const;

  std::unique_ptr<zip_file, Close> file_;
  std::string location_;
};

// One thread at a time. Errors have code data and name the file.
class ZipArchive {
 public:
  [[nodiscard]] static Result<ZipArchive> open(const std::filesystem::path& path);
  [[nodiscard]] std::uint64_t member_count() const;
  [[nodiscard]] Result<ZipMember> member(std::uint64_t index) const;
  [[nodiscard]] Result<ZipStream> stream(std::uint64_t index) const;

 private:
  struct Discard {
    void operator()(zip* archive) const;
  };
  ZipArchive(zip* archive, std::string location) : archive_(archive), location_(std::move(location)) {}
  [[nodiscard]] tl::unexpected<Error> bad(const std::string& what) const;

  std::unique_ptr<zip, Discard> archive_;
  std::string location_;
};

}  // namespace hansa::learning::kinds
