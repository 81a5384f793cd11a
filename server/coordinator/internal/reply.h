// What became of a message of an open session.
#pragma once
#include <string>
#include <utility>

#include "server/coordinator/verdict.h"

namespace hansa::server {

struct Reply {
  Reply(Verdict v) : verdict(v) {}  // NOLINT(google-explicit-constructor): a verdict is a reply
  // The client broke the protocol: its session ends.
  [[nodiscard]] static Reply violation(std::string what) {
    Reply out(Verdict::rejected);
    out.broken_rule = std::move(what);
    return out;
  }

  Verdict verdict;
  std::string broken_rule;  // only for a violation
};

}  // namespace hansa::server
