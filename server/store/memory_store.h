// A store in memory for simulations, with a disk that outlives it: to crash an aggregator, drop its
// MemoryStore and keep the MemoryDisk; to start it again, make a new MemoryStore on that disk.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "server/store/store.h"

namespace hansa::server {

// What is durable.
struct MemoryDisk {
  std::optional<RunIdentity> identity;
  std::unordered_map<Digest, std::vector<float>> models;
  std::unordered_map<Digest, std::vector<std::byte>> deltas;
  std::vector<RoundRecord> rounds;  // round 1 first
  std::map<RoundId, Metrics> evaluations;
};

class MemoryStore final : public Store {
 public:
  // Called before each durable step: "write model", "write delta", "keep identity", "commit round",
  // "record evaluation". If it fails, the step does not happen and the call fails with its error.
  using BeforeStep = std::function<Result<void>(std::string_view step)>;

  explicit MemoryStore(std::shared_ptr<MemoryDisk> disk, BeforeStep before_step = {});

  [[nodiscard]] Result<void> begin_run(const RunIdentity& identity,
                                       std::span<const float> initial_model) override;
  [[nodiscard]] Result<Digest> put_model(std::span<const float> parameters) override;
  [[nodiscard]] Result<void> get_model(const Digest& digest, std::span<float> parameters) override;
  [[nodiscard]] Result<Digest> put_delta(std::span<const std::byte> delta) override;
  [[nodiscard]] Result<std::vector<std::byte>> get_delta(const Digest& digest) override;
  [[nodiscard]] Result<void> commit_round(const RoundRecord& record) override;
  [[nodiscard]] Result<void> record_evaluation(RoundId round, const Metrics& metrics) override;
  [[nodiscard]] Result<std::optional<Position>> position() override;
  [[nodiscard]] Result<std::optional<RoundRecord>> round(RoundId round) override;
  [[nodiscard]] Result<std::optional<Metrics>> evaluation(RoundId round) override;
  [[nodiscard]] Result<std::optional<Published>> published(RoundId round) override;

 private:
  [[nodiscard]] Result<void> before(std::string_view step) const;
  [[nodiscard]] Result<RoundId> last_round() const;

  std::shared_ptr<MemoryDisk> disk_;
  BeforeStep before_step_;
};

}  // namespace hansa::server
