// What the coordinator knows of one client.
#pragma once
#include <optional>
#include <string>

#include "common/identifiers.h"
#include "common/time.h"
#include "protocols/messages/messages.h"
#include "protocols/round/flow_window.h"
#include "protocols/round/round.h"
#include "protocols/secure_aggregation/identity.h"

namespace hansa::server {

struct Session {
  PeerId peer;
  SessionId id;
  std::uint64_t instance = 0;
  Instant last_heard;
  Instant pinged_at;
  bool connected = true;  // false: a send found no connection, at lost_at
  Instant lost_at;
};

// A second connection with the same key, while the first is asked whether it lives.
struct Newcomer {
  PeerId peer;
  messages::Hello hello;
  Instant until;
};

enum class UploadState : std::uint8_t { none, waiting, granted, complete };

struct Upload {
  UploadState state = UploadState::none;
  messages::Offer offer;
  bool has_spool = false;
  std::uint64_t received = 0;
  std::uint64_t granted = 0;  // bytes up to which the client may send
  Instant granted_at;
  Instant waiting_since;  // when it waits
};

struct Member {
  std::string name;
  std::optional<Session> session;
  std::optional<Newcomer> newcomer;
  std::uint64_t examples = 0;
  std::string problem;
  std::optional<secure_aggregation::Certificate> certificate;
  // In the round in work.
  std::optional<round::MemberIndex> place;
  TaskId task;
  Instant asked_at;  // first
  Instant task_sent_at;  // last
  double seconds = 0;  // asked to complete
  std::uint64_t pulled = 0;  // bytes
  std::optional<Instant> moved_at;  // when a chunk of the model or of the update came through
  Upload upload;
  round::FlowWindow window;  // of uploads, as its link was last seen
  bool queued = false;  // its name is in the queue for uploads
  bool left_sum = false;  // says nothing more of the secure sum: it refused, or has lost its keys
};

}  // namespace hansa::server
