// Vectors as files named by their content: <64 hex digits>.f32, little-endian float32.
//
// A name appears only when the whole content is durable: written to a temporary name, flushed,
// renamed, and the folder flushed. One thread at a time.
#pragma once
#include <filesystem>
#include <span>
#include <unordered_set>

#include "common/digest.h"
#include "common/error.h"
#include "common/descriptor.h"
#include "server/store/internal/direct_file.h"
#include "server/store/internal/file_remover.h"

namespace hansa::server::internal {

class ModelFiles {
 public:
  static constexpr const char* suffix = ".f32";

  // Creates the folder, removes incomplete files that a crash left, and flushes the folder, so that all visible names
  // are durable.
  [[nodiscard]] static Result<ModelFiles> open(const std::filesystem::path& folder);
  [[nodiscard]] static Result<ModelFiles> open_read_only(const std::filesystem::path& folder);

  // Durable when it returns. If a small file already exists, the first put() reads and verifies it, and later ones only
  // stat it; a damaged file is replaced. A large file is always written again.
  [[nodiscard]] Result<Digest> put(std::span<const float> parameters);
  // Fails (storage) if the file is missing, of another size, or does not match its digest; `parameters` are unspecified
  // then.
  [[nodiscard]] Result<void> get(const Digest& digest, std::span<float> parameters) const;
  // As get(), without memory for the vector. bytes: the size that the file must have; empty: any, the digest decides.
  [[nodiscard]] Result<void> check(const Digest& digest, std::optional<std::uint64_t> bytes) const;
  [[nodiscard]] bool contains(const Digest& digest) const;
  // The name is free when it returns; `remover` unlinks the file. Not durable: a file that reappears after a power cut
  // is removed at the next start.
  void remove(const Digest& digest, FileRemover& remover);
  [[nodiscard]] std::filesystem::path path(const Digest& digest) const;

 private:
  [[nodiscard]] Result<Descriptor> open_whole(const Digest& digest, std::optional<std::uint64_t> bytes) const;
  [[nodiscard]] bool is_whole(const Digest& digest, std::span<const float> parameters);

  std::filesystem::path folder_;
  Descriptor directory_;
  std::unordered_set<Digest> whole_;  // written or verified by this object
  DirectWriter writer_;
};

}  // namespace hansa::server::internal
