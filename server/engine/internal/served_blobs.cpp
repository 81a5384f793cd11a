#include "server/engine/internal/served_blobs.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <span>
#include <vector>

namespace hansa::server::internal {

void ServedBlobs::withdraw(std::span<const Digest> except) {
  const auto stays = [&](const ServedModel& model) {
    return std::ranges::find(except, model.names.model) != except.end();
  };
  std::erase_if(earlier_, [&](const ServedModel& model) { return !stays(model); });
  if (stays(model_)) {
    earlier_.push_back(std::move(model_));
    earlier_.back().exact = {};
  }
  model_ = {};
}

std::optional<transport::Bulk> ServedBlobs::part_of(const ServedModel& model, const Digest& blob,
                                                    std::uint64_t offset, std::uint64_t bytes) {
  if (model.whole && blob == model.names.model)
    return transport::Bulk{model.whole, std::as_bytes(std::span(*model.whole)).subspan(offset, bytes)};
  if (model.exact && blob == model.exact_name)
    return transport::Bulk{model.exact, std::as_bytes(std::span(*model.exact)).subspan(offset, bytes)};
  for (std::size_t i = 0; i < model.deltas.size(); ++i)
    if (blob == model.names.deltas[i].blob)
      return transport::Bulk{model.deltas[i], std::span(*model.deltas[i]).subspan(offset, bytes)};
  for (std::size_t i = 0; i < model.vectors.size(); ++i)
    if (blob == model.names.vectors[i].blob)
      return transport::Bulk{model.vectors[i],
                             std::as_bytes(std::span(*model.vectors[i])).subspan(offset, bytes)};
  return std::nullopt;
}

Result<std::optional<transport::Bulk>> ServedBlobs::read(const Digest& blob, std::uint64_t offset,
                                                         std::uint64_t bytes) const {
  if (auto part = part_of(model_, blob, offset, bytes)) return part;
  for (const ServedModel& model : earlier_)
    if (auto part = part_of(model, blob, offset, bytes)) return part;
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
