// Passes one event to the machines that it concerns: sessions first, then the phase.
#pragma once
#include "server/coordinator/events.h"
#include "server/coordinator/internal/stage.h"

namespace hansa::server {

class Dispatch {
 public:
  Dispatch(Shared& shared, Stage& stage, Turn& turn) : shared_(shared), stage_(stage), turn_(turn) {}

  Verdict apply(const Event& event);

 private:
  Verdict on(const MessageArrived& event);
  Verdict on(const MessageMisdirected& event);
  Verdict on(const MessageMalformed& event);
  Verdict on(const PeerGone& event);
  Verdict on(const CertificateFound& event);
  Verdict on(const UpdateChecked& event) { return stage_.on_checked(event, turn_); }
  Verdict on(const MasksOpened& event) { return stage_.on_masks_opened(event, turn_); }
  Verdict on(const RoundCommitted& event) { return stage_.on_committed(event, turn_); }
  Verdict on(const SumRefused& event) { return stage_.on_sum_refused(event, turn_); }
  Verdict on(const AdmissionChanged& event);
  Verdict on(const TickEvent& event);
  Verdict on(const StopAsked&) { return stage_.on_stop(turn_); }
  Verdict on(const EnoughReached& event) {
    shared_.enough = event.why;
    return Verdict::accepted;
  }
  Verdict on(const FaultsForgiven& event);

  Verdict on_message(const MessageArrived& event);
  // Counts a message for its sender. If that is too much, ends its session and its connection, and returns false.
  [[nodiscard]] bool allow(PeerId peer, const std::string& client, Conduct::Kind kind);
  Verdict on_hello(const MessageArrived& event, const messages::Hello& hello);
  [[nodiscard]] Reply in_session(const std::string& client, const MessageArrived& event);
  // Refuses a message outside of a session.
  Verdict refuse_stranger(PeerId peer, const std::string& client);
  // Ends a session that broke the protocol. The client may send Hello again, and keeps its place in the round.
  Verdict end_for_violation(PeerId peer, const std::string& client, const std::string& what);
  // Passes the notices of the sessions to the other machines.
  void settle();
  // Refuses a client without a certificate, and ends its session.
  void turn_away(const std::string& client);
  void on_opened(const SessionOpened& opened);
  void on_data(const std::string& client, const messages::DataReport& data);

  Shared& shared_;
  Stage& stage_;
  Turn& turn_;
  Sessions::Notices notices_;
};

}  // namespace hansa::server
