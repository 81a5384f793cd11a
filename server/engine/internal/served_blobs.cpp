#include "server/engine/internal/served_blobs.h"

#include <fstream>
#include <memory>
#include <span>
#include <vector>

namespace hansa::server::internal {

Result<std::optional<transport::Bulk>> ServedBlobs::read(const Digest& blob, std::uint64_t offset,
                                                         std::uint64_t bytes) const {
  if (model_.whole && blob == model_.names.model)
    return transport::Bulk{model_.whole, std::as_bytes(std::span(*model_.whole)).subspan(offset, bytes)};
  if (model_.exact && blob == model_.exact_name)
    return transport::Bulk{model_.exact, std::as_bytes(std::span(*model_.exact)).subspan(offset, bytes)};
  for (std::size_t i = 0; i < model_.deltas.size(); ++i)
    if (blob == model_.names.deltas[i].blob)
      return transport::Bulk{model_.deltas[i], std::span(*model_.deltas[i]).subspan(offset, bytes)};
  for (std::size_t i = 0; i < model_.vectors.size(); ++i)
    if (blob == model_.names.vectors[i].blob)
      return transport::Bulk{model_.vectors[i],
                             std::as_bytes(std::span(*model_.vectors[i])).subspan(offset, bytes)};
  for (const auto& [name, values] : constants_)
    if (blob == name)
      return transport::Bulk{values, std::as_bytes(std::span(*values)).subspan(offset, bytes)};
  if (blob != archive_) return std::nullopt;
  return read_archive(offset, bytes);
}

// The file is read for each chunk, because an archive may be as large as a model, and a client pulls it only once.
Result<transport::Bulk> ServedBlobs::read_archive(std::uint64_t offset, std::uint64_t bytes) const {
  auto buffer = std::make_shared<std::vector<std::byte>>(bytes);
  std::ifstream file(archive_path_, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(reinterpret_cast<char*>(buffer->data()), static_cast<std::streamsize>(bytes));
  if (!file)
    return fail(ErrorCode::storage, archive_path_.string(), "cannot be read",
                "it must stay while the run does");
  transport::Bulk bulk;
  bulk.bytes = *buffer;
  bulk.owner = std::move(buffer);
  return bulk;
}

}  // namespace hansa::server::internal
