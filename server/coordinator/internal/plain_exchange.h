// Updates that the aggregator sees: float32, or encoded by the uplink's codecs.
#pragma once
#include <map>
#include <set>
#include <string>

#include "server/coordinator/internal/exchange.h"

namespace hansa::server {

class PlainExchange final : public Exchange {
 public:
  using Names = std::set<std::string, std::less<>>;
  // dominant: clients that were reported because of their weight; it outlives the exchange.
  PlainExchange(const CoordinatorConfig& config, const ExchangeStart& start, Names& dominant);

  void begin(Turn& turn) override;
  void describe(messages::TrainTask& task) const override;
  void repeat(const Participant&, Turn&) override {}
  void on_reconnected(const Participant&, Process, ActiveRound&, Turn&) override {}
  [[nodiscard]] UpdateSizes sizes() const override;
  [[nodiscard]] bool is_current(const messages::Offer&) const override { return true; }
  [[nodiscard]] Result<UpdateTicket> admit(const Participant& participant,
                                           const messages::Offer& offer) const override;
  [[nodiscard]] messages::Verdict receipt() const override { return messages::Verdict::counted; }
  [[nodiscard]] Result<void> on_counted(const Participant&) override { return {}; }
  void advance(ActiveRound&, Turn&) override {}
  void announce(ActiveRound&, Turn&) override {}
  // Fails (protocol) if an update is not like the others of the round, and accuses its client.
  [[nodiscard]] Result<void> begin_opening(ActiveRound& round, Turn& turn) override;
  [[nodiscard]] Opening opening(const ActiveRound&, const Sessions&, Turn&) override {
    return {Opening::State::ready, {}, {}};
  }
  void complete(RoundRecord&, Duration) const override {}
  void end(const ActiveRound&, Turn&) override {}
  [[nodiscard]] Instant next_tick() const override { return Instant::max(); }
  [[nodiscard]] std::string progress(const ActiveRound&) const override { return {}; }

 private:
  // Fails (protocol) if a vector of an update is not like those of the others, and accuses its client.
  [[nodiscard]] Result<void> compare_updates(ActiveRound& round) const;
  void report_dominant_weight(const ActiveRound& round, Turn& turn);

  const CoordinatorConfig& config_;
  std::uint64_t cohort_seed_;  // of codecs: the same for all participants
  std::uint32_t cohort_;
  std::map<std::string, std::uint64_t, std::less<>> reported_;  // examples, when the round began
  Names& dominant_;
};

class PlainExchangeFactory final : public ExchangeFactory {
 public:
  explicit PlainExchangeFactory(const CoordinatorConfig& config) : config_(config) {}
  [[nodiscard]] std::uint32_t cohort_max() const override { return round::Round::cohort_max; }
  [[nodiscard]] std::uint32_t cohort_min() const override { return 1; }
  [[nodiscard]] std::uint32_t updates_min(std::uint32_t) const override { return 1; }
  [[nodiscard]] bool needs_certificates() const override { return false; }
  [[nodiscard]] std::string what_lacks(const Client&) const override { return {}; }
  [[nodiscard]] Result<std::unique_ptr<Exchange>> create(const ExchangeStart& start, Turn& turn) override;
  void on_committed(const RoundCommitted&) override {}

 private:
  const CoordinatorConfig& config_;
  PlainExchange::Names dominant_;
};

}  // namespace hansa::server
