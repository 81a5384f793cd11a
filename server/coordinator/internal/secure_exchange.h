// Updates that the aggregator sees only as a sum: drives the machine of protocols/secure_aggregation/aggregator.h.
//
// Keys and shares are exchanged while the cohort trains; masked vectors are uploads like any other; then the survivors
// are asked for the shares that unmask their sum. Each exchange ends when every expected participant has answered, or
// after phase_max; a participant that has not answered by then has dropped out. If too few are left, the attempt is
// abandoned and the aggregator has learnt nothing.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "protocols/secure_aggregation/aggregator.h"
#include "server/coordinator/internal/exchange.h"

namespace hansa::server {

class SecureExchange final : public Exchange {
 public:
  enum class Weights : std::uint8_t { examples, one };  // of the clients in the sum
  struct Config {
    messages::SecureTask secure;  // what the tasks say about the sum
    // The examples on which a client of the cohort trains, as far as its report tells.
    std::map<std::string, std::uint64_t, std::less<>> reported;
    LimitsConfig limits;
    Duration phase_max;
    Weights weights = Weights::examples;
    SumNumber number = 0;
  };
  // The sum's setup is that of the tasks.
  SecureExchange(secure_aggregation::AggregatorSum sum, Config config, Instant now);

  void begin(Turn&) override {}
  void describe(messages::TrainTask& task) const override;
  void repeat(const Participant& participant, Turn& turn) override;
  void on_reconnected(const Participant& participant, Process process, ActiveRound& round,
                      Turn& turn) override;
  [[nodiscard]] UpdateSizes sizes() const override { return sizes_; }
  [[nodiscard]] bool is_current(const messages::Offer& offer) const override { return offer.setup == id_; }
  [[nodiscard]] Result<UpdateTicket> admit(const Participant& participant,
                                           const messages::Offer& offer) const override;
  [[nodiscard]] messages::Verdict receipt() const override { return messages::Verdict::summed; }
  [[nodiscard]] Result<void> on_counted(const Participant& participant) override;

  Verdict on_advert(const Participant& participant, const messages::KeyAdvert& advert, ActiveRound& round,
                    Turn& turn) override;
  Verdict on_shares(const Participant& participant, const messages::EncryptedShares& shares,
                    ActiveRound& round, Turn& turn) override;
  Verdict on_signature(const Participant& participant, const messages::SurvivorSignature& signature,
                       Turn& turn) override;
  Verdict on_unmask_shares(const Participant& participant, const messages::UnmaskShares& shares,
                           Turn& turn) override;
  Verdict on_masks_opened(const MasksOpened& event, Turn& turn) override;
  Verdict on_refused_opening(const Participant& participant, const messages::Report& report,
                             Turn& turn) override;

  void advance(ActiveRound& round, Turn& turn) override;
  void announce(ActiveRound& round, Turn& turn) override;
  [[nodiscard]] Result<void> begin_opening(ActiveRound& round, Turn& turn) override;
  [[nodiscard]] Opening opening(const ActiveRound& round, const Sessions& sessions, Turn& turn) override;
  void complete(RoundRecord& record, Duration opening_time) const override;
  void end(const ActiveRound& round, Turn& turn) override;
  [[nodiscard]] Instant next_tick() const override;
  [[nodiscard]] std::string member(std::uint64_t position) const override;
  [[nodiscard]] bool was_sent_shares(const Participant& participant, std::string_view of) const override;
  [[nodiscard]] std::uint32_t contradictors_max() const override { return sum_.contradictors_max(); }
  [[nodiscard]] std::string progress(const ActiveRound& round) const override;

 private:
  using Position = secure_aggregation::Position;
  using SumPhase = secure_aggregation::AggregatorSum::Phase;

  [[nodiscard]] std::optional<Position> position(const Participant& participant) const {
    return sum_.position_of(participant.client);
  }
  // Whether a message with this task and setup belongs to the sum, and its sender still takes part.
  [[nodiscard]] bool is_of_sum(const Participant& participant, TaskId task, const Digest& setup) const;
  [[nodiscard]] bool is_waited_for(const Participant& participant, const ActiveRound& round) const;
  void leave(const Participant& participant, std::string reason, ActiveRound& round);
  void fix_roster(ActiveRound& round, Turn& turn);
  void fix_sharers(ActiveRound& round, Turn& turn);
  void ask_to_open(const Participant& participant, Turn& turn);
  void ask_all_to_open(const ActiveRound& round, Turn& turn);
  [[nodiscard]] Opening try_to_unmask(bool last, Turn& turn);
  [[nodiscard]] Opening masks_opened();
  // The survivors that have not signed, or not revealed their shares.
  [[nodiscard]] std::vector<Fault> faults_of_silent(const ActiveRound& round, bool is_over) const;
  // Whether most survivors have opened another sum of their updates before.
  [[nodiscard]] bool most_repeated() const;
  // Whether the survivors that have not refused are enough.
  [[nodiscard]] bool can_still_open() const;
  [[nodiscard]] SumBounds bounds() const;

  secure_aggregation::AggregatorSum sum_;
  Config config_;
  Digest id_;  // digest of the setup, which all messages of the sum contain
  UpdateSizes sizes_;  // of masked vectors
  Instant began_;
  Instant phase_until_;
  std::shared_ptr<const std::vector<std::byte>> roster_;  // encoded, once it is fixed
  // Clients that refused or lost their keys: nothing more is expected from them.
  std::set<std::string, std::less<>> left_;
  std::set<std::string, std::less<>>
      repeated_;  // of these, those that opened another sum of their updates before
  bool announcement_due_ = false;
  double setup_seconds_ = 0;  // until the shares were delivered
  // The last OpenMasks.
  struct Attempt {
    std::size_t answers = 0;
    secure_aggregation::OpeningEffort effort{};
    std::shared_ptr<secure_aggregation::OpenedMasks> opened;  // null: not yet answered
  };
  std::optional<Attempt> attempt_;
};

class SecureExchangeFactory final : public ExchangeFactory {
 public:
  SecureExchangeFactory(const CoordinatorConfig& config, SumRange range);
  [[nodiscard]] std::uint32_t cohort_max() const override;
  [[nodiscard]] std::uint32_t cohort_min() const override;
  [[nodiscard]] std::uint32_t updates_min(std::uint32_t cohort) const override;
  [[nodiscard]] bool needs_certificates() const override { return true; }
  [[nodiscard]] std::string what_lacks(const Client& client) const override {
    return client.certificate ? "" : "no certificate";
  }
  [[nodiscard]] Result<std::unique_ptr<Exchange>> create(const ExchangeStart& start, Turn& turn) override;
  void on_committed(const RoundCommitted& committed) override { range_ = committed.next_range; }
  // The scales may be wrong: the next sum measures them again, as the first one of a run did.
  void on_sum_refused() override { range_ = {}; }

 private:
  [[nodiscard]] messages::SecureTask make_secure(const ExchangeStart& start, std::uint64_t unit_of_weights);

  const CoordinatorConfig& config_;
  SumRange range_;
  Random nonces_;
};

}  // namespace hansa::server
