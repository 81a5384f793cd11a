// What the operator asks of a start: which run, and from where.
#pragma once
#include <cstdint>
#include <string>

#include "server/store/store.h"

namespace hansa::server {

enum class RunChoice : std::uint8_t {
  resume_or_new,  // the newest unfinished run of this federation; a new one if there is none
  new_run,
  resume_named,  // RunRequest::run, or an error
};

enum class Approval : std::uint8_t {
  needed,  // clients on other machines train the model
  unused,  // all clients are in this process
};

struct RunRequest {
  RunChoice choice = RunChoice::resume_or_new;
  // "RUN@ROUND": a new run starts from this committed round of another run. Empty: from the archive.
  std::string from = {};
  Approval approval = Approval::needed;
  RunKind kind = RunKind::production;  // of the run: runs of the other kind are not resumed
  std::string run = {};  // for RunChoice::resume_named: its name in the catalogue
};

}  // namespace hansa::server
