// Link and session of the device agent: a pure state machine.
//
//   offline -> linking -> greeting -> online -> (any) -> offline ... -> finished
//
// It reconnects without limit, with a doubling backoff and jitter, renews the lease, and reports what the device has to
// train on. Every state x event pair: docs/round.md. No I/O, clock or thread; one thread owns a session.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/agent/agent_config.h"
#include "client/agent/contract_check.h"
#include "client/agent/effects.h"
#include "common/error.h"
#include "common/identifiers.h"
#include "common/random.h"
#include "common/time.h"
#include "protocols/messages/messages.h"

namespace hansa::client {

enum class LinkState : std::uint8_t { offline, linking, greeting, online, finished };

// What the client is doing, for pings and for finding a transfer that has stopped.
enum class Activity : std::uint8_t { idle, training, transferring };
struct Work {
  TaskId task;  // 0 when idle
  Activity activity = Activity::idle;
};

class Session {
 public:
  Session(const AgentConfig& config, Instant now);

  // Events.
  void link_up(Instant now, std::vector<Effect>& effects);
  void link_down(const Error& error, Instant now, std::vector<Effect>& effects);
  void malformed(const Error& error, Instant now, std::vector<Effect>& effects);
  void welcomed(SessionId id, const messages::Welcome& welcome, Instant now, std::vector<Effect>& effects);
  void refused(const messages::Refuse& refuse, Instant now, std::vector<Effect>& effects);
  void aggregator_left(const std::string& reason, Instant now, std::vector<Effect>& effects);
  void data_known(const messages::DataReport& data, const std::optional<DataDescription>& description,
                  Instant now, std::vector<Effect>& effects);
  // The update of this device counts: the next data_known is reported even if its numbers are those of before.
  void update_counted() { report_anyway_ = true; }
  void tick(const Work& work, Instant now, std::vector<Effect>& effects);
  // Finishes the machine, which ignores all later events.
  void finish(Exit::Why why, std::vector<Effect>& effects);

  // A message with this session number arrived. False if it must be ignored, because it belongs to an old session or no
  // session is open.
  [[nodiscard]] bool hears(SessionId id, Instant now, std::vector<Effect>& effects);
  // A part of a transfer or of the secure aggregation arrived.
  void progressed(Instant now) { last_progress_ = now; }

  // Sends in the open session; does nothing without one.
  void say(messages::ToAggregator message, Instant now, std::vector<Effect>& effects);
  // Fills in the session of the range.
  void say(SendUpdateRange range, Instant now, std::vector<Effect>& effects);

  [[nodiscard]] LinkState state() const { return state_; }
  // The aggregator refused the last Hello, or refused this client in a session, and has sent no other message since.
  [[nodiscard]] bool is_refused() const { return !last_refusal_.empty(); }
  // The Welcome of the open session, or of the last one.
  [[nodiscard]] const messages::Welcome& welcome() const { return welcome_; }
  [[nodiscard]] const messages::DataReport& data() const { return data_; }
  // Why no task is trained: the data differs from the contract of the last Welcome.
  [[nodiscard]] const std::optional<Error>& contract_difference() const { return contract_.difference(); }
  // When tick() is due. now: of the last event.
  [[nodiscard]] Instant next_tick(const Work& work, Instant now) const;

 private:
  void say_hello(Instant now, std::vector<Effect>& effects);
  // Takes over what the device knows, as the contract allows. False if that changes nothing that is reported.
  bool judge(std::vector<Effect>& effects);
  void report(Instant now, std::vector<Effect>& effects);
  void report_if_due(Instant now, std::vector<Effect>& effects);
  void keep_alive(const Work& work, Instant now, std::vector<Effect>& effects);
  void go_offline(Duration at_least, Instant now, std::vector<Effect>& effects);

  AgentConfig config_;
  Random jitter_;
  LinkState state_ = LinkState::offline;
  std::uint64_t attempt_ = 0;
  Instant retry_at_;
  Instant greeting_until_;
  SessionId id_;
  messages::Welcome welcome_;
  Instant last_heard_;
  Instant last_said_;
  Instant last_progress_;
  ContractCheck contract_;
  messages::DataReport known_;  // what the device has, without notices
  messages::DataReport data_;  // what is reported. Its notices: not yet known to have arrived
  bool report_due_ = false;
  bool report_anyway_ = false;
  Instant last_report_;
  std::string last_refusal_;  // empty after a message in a session; a repeated one is logged now and then
  std::uint64_t refusals_ = 0;  // since then
  std::string last_trouble_;  // the same cause is not logged at each attempt
};

[[nodiscard]] const char* name(LinkState state) noexcept;

}  // namespace hansa::client
