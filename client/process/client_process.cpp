#include "client/process/client_process.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/resource.h>

#include "client/engine/engine.h"
#include "client/process/archive_folder.h"
#include "client/check/checks.h"
#include "client/keys/accepted_keys.h"
#include "client/keys/key_files.h"
#include "client/process/data_retry.h"
#include "client/process/internal/channel_link.h"
#include "client/process/internal/key_watch.h"
#include "client/process/internal/outage_check.h"
#include "client/process/outage_watch.h"
#include "client/process/serving_folder.h"
#include "client/process/training_thread.h"
#include "common/entropy.h"
#include "common/files.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/transport/client_channel.h"

namespace hansa::client {
namespace {

using internal::ChannelLink;
using internal::KeyWatch;
using internal::log_findings;
using internal::OutageCheck;

// What the thread that stores arriving data reports to the loop.
class ArrivalNews {
 public:
  void add(const Error& notice) {
    const std::lock_guard lock(mutex_);
    notices_.push_back(notice);
    changed = true;
  }
  [[nodiscard]] std::vector<Error> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(notices_, {});
  }
  std::atomic<bool> changed = false;

 private:
  std::mutex mutex_;
  std::vector<Error> notices_;
};

void lower_priority(int nice, const Logger& log) {
  if (nice == 0) return;
  errno = 0;
  const int now = ::getpriority(PRIO_PROCESS, 0);
  if (::setpriority(PRIO_PROCESS, 0, now + nice) != 0)
    log.warning(std::string("resources.nice cannot be set (") + std::strerror(errno) + ")");
}

Result<ModelPolicy> model_policy(const ClientConfig& config, const Logger& log) {
  const ModelConfig& model = config.model;
  if (!model.root && !model.archive && !model.train_unapproved)
    return fail(
        ErrorCode::usage, config.file.string(), "approves no model: it has no root key and pins no archive",
        "set [model] root to the operator's root key, or [model] archive to the digest of one archive; "
        "for development, [model] unapproved = \"train\" trains whatever the aggregator sends");
  if (model.train_unapproved)
    log.warning("[model] unapproved is \"train\": the aggregator can run any model code on this device");
  return ModelPolicy{model.root, model.archive, model.layout,
                     model.train_unapproved ? Unapproved::train : Unapproved::decline, std::nullopt};
}

// Empty: no model is written.
std::optional<ServingFolder> open_serving(const ClientConfig& config, const learning::ModelSaver* saver,
                                          const Logger& log) {
  if (config.serving.write == WriteModels::never || saver == nullptr) return std::nullopt;
  auto folder = ServingFolder::open(config.serving.folder, config.state, config.federation);
  if (folder) return std::move(*folder);
  log.warning("no model is written for programs of this device: " + folder.error().text(),
              {.event = LogEvent::model_failed});
  return std::nullopt;
}

enum class ServiceEnd : std::uint8_t { finished, key_changed };

// Until the federation is finished, `stop` becomes true, or the device has another key.
Result<ServiceEnd> serve(const ClientConfig& config, const ClientData& data, learning::Trainer& trainer,
                         learning::ModelSaver* saver, const Logger& log, ServiceManager& manager,
                         const std::atomic<bool>& stop) {
  HANSA_TRY(const auto key, transport::read_secret_key(config.key));
  HANSA_TRY(const auto own, key.public_key());
  HANSA_TRY(const auto accepted, AcceptedKeys::open(config));
  const auto roots = accepted.roots(utc_seconds_now());
  KeyWatch key_watch(config, own, roots);
  HANSA_TRY(auto archives, ArchiveFolder::open(config.state));

  EngineConfig engine_config;
  AgentConfig& agent = engine_config.agent;
  agent.federation = config.federation;
  agent.software = "hansa " HANSA_VERSION;
  agent.when_finished =
      config.after_federation == AfterFederation::stop ? WhenFinished::stop : WhenFinished::stay;
  agent.reconnect_min = config.reconnect_min;
  agent.reconnect_max = config.reconnect_max;
  HANSA_TRY(agent.instance, unpredictable_number());
  HANSA_TRY(auto identity, enrolment::identity_of(key));
  HANSA_TRY(engine_config.hold_out_key, hold_out_key_of(config, key));
  if (const auto& secure = config.secure_aggregation) {
    agent.secure_sums =
        SecureSums{std::make_shared<const secure_aggregation::SigningKey>(std::move(identity)), secure->root,
                   secure->policy, secure->required};
    agent.secure_sums->root = roots->newest;
    agent.secure_sums->former_root = roots->former;
    HANSA_TRY(auto opened, data.opened_sums->all());
    agent.secure_sums->opened = secure_aggregation::OpenedSums(std::move(opened));
    engine_config.opened_sums = data.opened_sums;
  }
  const ReportPolicy reports{config.report_details ? ReportDetails::sent : ReportDetails::withheld,
                             data_kind_of(config.data.kind)};
  agent.reports = reports;
  if (reports.details == ReportDetails::sent)
    log.warning(
        "client.report_details is on: the texts of errors, which may quote data, are sent to the aggregator");
  agent.methods = trainer.methods();
  HANSA_TRY(agent.models, model_policy(config, log));
  // A root key of its own for models ([model] root) is not changed by statements.
  if (roots && agent.models.root == AcceptedKeys::pinned_root(config)) {
    agent.models.root = roots->newest;
    agent.models.former_root = roots->former;
  }
  engine_config.data = data.supply;
  engine_config.ledger = data.ledger;
  agent.decline_without_new = config.follow && config.follow->without_new == learning::WithoutNew::decline;
  engine_config.log = [&](const Log& line) {
    const LogFields fields{.event = line.event, .round = line.round, .phase = line.phase};
    switch (line.level) {
      case Log::Level::debug: return log.debug(line.text, fields);
      case Log::Level::info: return log.info(line.text, fields);
      case Log::Level::warning: return log.warning(line.text, fields);
      case Log::Level::error: return log.error(line.text, fields);
    }
  };

  const auto serving = open_serving(config, saver, log);
  if (serving) {
    agent.last_model = LastModelWanted::yes;
    engine_config.serve =
        config.serving.write == WriteModels::each_round ? Serve::each_model : Serve::last_model;
  }
  // Models are a service of this client, which trains also if it cannot write them: one warning for each new fault.
  std::string fault, last_note;
  const auto write_model = [&](const ModelToServe& model, const Metrics& trained,
                               const std::stop_token& quit) {
    const Instant began = steady_now();
    const auto written = serving->write(model, trained, *saver, quit);
    if (written) {
      const std::string text = "the model of round " + std::to_string(model.round.value) + " is in " +
                               config.serving.folder.string() + ", written in " +
                               std::to_string(seconds(steady_now() - began)) + " s";
      const LogFields fields{.event = LogEvent::model_written, .round = model.round};
      if (model.trained == TaskId{}) log.info(text, fields);  // the last one
      else log.debug(text, fields);
    } else if (written.error().text() != fault) {
      log.warning("cannot write the model of round " + std::to_string(model.round.value) +
                      " for programs of this device: " + written.error().text(),
                  {.event = LogEvent::model_failed, .round = model.round});
    }
    fault = written ? "" : written.error().text();
  };

  ChannelLink link(config, key, log);
  // Without a channel no wake-up is needed, because the loop then sleeps for at most 100 ms.
  std::mutex channel_mutex;
  transport::ClientChannel* wakeable = nullptr;
  const auto wake = [&] {
    const std::lock_guard lock(channel_mutex);
    if (wakeable != nullptr) wakeable->wake();
  };
  TrainingThread training(trainer, config.resources.trainer_idle, wake,
                          serving ? TrainingThread::WriteModel(write_model) : nullptr);
  // Opening the data may take long, or never end. Bad data does not end the client: it connects, reports the problem, and
  // looks again after a pause that grows.
  training.look_at_data();
  std::optional<Result<learning::AvailableData>> first_look;
  while (!(first_look = training.take_data()) && !stop)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  if (!first_look) {
    log.info("stops", {.event = LogEvent::program_stopping});
    return ServiceEnd::finished;
  }
  const Result<learning::AvailableData> available = *std::move(first_look);
  Engine engine(std::move(engine_config), link, training, archives, steady_now());
  if (!available && !data.followed) log.error(available.error().text(), {.event = LogEvent::data_unusable});
  // What the data's files have to say is the same each time they are opened.
  std::vector<Error> noted;
  const auto report_of_data = [&](const Result<learning::AvailableData>& found) {
    messages::DataReport out = data_report(found, reports);
    if (!found) return out;
    for (const Error& note : found->notes) {
      if (std::ranges::find(noted, note.text(), &Error::text) != noted.end()) continue;
      log.warning(note.text(), {.event = LogEvent::data_noticed});
      out.notices.push_back(report_of(note, reports));
    }
    noted = found->notes;
    return out;
  };
  messages::DataReport report = report_of_data(available);
  if (const auto notice = data.state->take_notice()) {
    log.warning(notice->text(), {.event = LogEvent::data_noticed});
    report.notices.push_back(report_of(*notice, reports));
  }
  engine.data_known(report, description_of(available), steady_now());
  ArrivalNews news;
  if (data.followed) {
    data.followed->start({[&] {
                            news.changed = true;
                            wake();
                          },
                          [&](const Error& notice) {
                            news.add(notice);
                            wake();
                          }});
  }

  OutageWatch outage(steady_now());
  OutageCheck outage_check;
  transport::ClientChannel::Handlers handlers;
  // Changed keys are used between two tasks, because another key is another identity for the members of a secure sum. This is
  // checked after each message, because the next task may arrive directly after the end of the current one.
  // A refused client does not wait for the end of its task: with a key that the aggregator does not admit any more, on the
  // connection or for the federation, the task cannot be finished.
  bool leaves_for_key = false, link_refused = false;
  const auto leave_if_key_changed = [&] {
    const bool may_leave = link_refused || engine.agent().is_refused() || engine.agent().is_idle();
    if (leaves_for_key || engine.exited() || !may_leave || !key_watch.has_changed(steady_now())) return;
    leaves_for_key = true;
    log.info("uses the changed keys: connects again", {.event = LogEvent::keys_changed});
    engine.stop(steady_now());
  };
  handlers.on_message = [&](std::span<const std::byte> message, std::span<const std::byte> bulk) {
    if (enrolment::is_statements_frame(message))
      return link.accept(enrolment::parse_statements_frame(message));
    engine.receive(message, bulk, steady_now());
    leave_if_key_changed();
  };
  handlers.on_link = [&](const transport::LinkEvent& event) {
    const bool connected = event.kind == transport::LinkEvent::Kind::connected;
    link_refused = event.kind == transport::LinkEvent::Kind::refused;
    manager.status(connected ? "connected to the aggregator" : "not connected: " + event.error.text());
    if (connected) {
      outage.connected();
      link.connected();
      engine.link_up(steady_now());
    } else {
      outage.lost(steady_now());
      engine.link_down(event.error, steady_now());
    }
  };
  DataRetry retry(available || data.followed ? DataRetry::Need::none : DataRetry::Need::some, steady_now());
  bool stop_reported = false;
  manager.status("connecting to the aggregator");
  manager.ready();
  while (!engine.exited()) {
    manager.alive(steady_now());
    if (stop && !stop_reported) {
      stop_reported = true;
      log.info("stops", {.event = LogEvent::program_stopping});
      engine.stop(steady_now());
      continue;
    }
    {
      const std::lock_guard lock(channel_mutex);
      wakeable = link.channel();
    }
    const Duration wait = std::clamp<Duration>(engine.next_tick() - steady_now(), Duration::zero(),
                                               std::chrono::milliseconds(500));
    if (link.channel() != nullptr) {
      link.channel()->poll(wait, handlers, 16);
    } else {
      std::this_thread::sleep_for(std::min<Duration>(wait, std::chrono::milliseconds(100)));
    }
    {
      const std::lock_guard lock(channel_mutex);
      wakeable = link.channel();
    }
    link.release_closed();
    if (auto failure = link.take_failure()) engine.link_down(*failure, steady_now());
    if (news.changed.exchange(false)) {
      const auto found = data.supply->available();
      messages::DataReport now = data_report(found, reports);
      for (const Error& notice : news.take()) {
        log.warning(notice.text(), {.event = LogEvent::data_noticed});
        now.notices.push_back(report_of(notice, reports));
      }
      engine.data_known(now, description_of(found), steady_now());
    }
    if (outage.take_due(steady_now())) outage_check.start(config.file, config.variables);
    log_findings(outage_check.take(), log);
    if (retry.take_due(steady_now())) training.look_at_data();
    if (const auto found = training.take_data()) {
      retry.looked(found->has_value(), steady_now());
      if (*found) log.info("the data can be used now", {.event = LogEvent::data_usable});
      engine.data_known(report_of_data(*found), description_of(*found), steady_now());
    }
    if (auto ended = training.take()) {
      if (ended->result && !ended->result->note.empty() && ended->result->note != last_note) {
        last_note = ended->result->note;
        log.warning(last_note);
      }
      if (ended->result)
        log.info(
            "round " + std::to_string(ended->task.round.value) + ": trained on " +
                std::to_string(ended->result->examples) + " examples" +
                (data.followed ? ", " + std::to_string(ended->result->new_examples) + " of them new, in "
                               : " in ") +
                std::to_string(ended->result->train_seconds) + " s",
            {.event = LogEvent::task_trained, .round = ended->task.round, .phase = engine.agent().phase()});
      engine.training_ended(ended->task, std::move(ended->result), steady_now());
    }
    if (steady_now() >= engine.next_tick()) engine.tick(steady_now());
    leave_if_key_changed();
  }
  {
    const std::lock_guard lock(channel_mutex);
    wakeable = nullptr;
  }
  // The last model is still written, unless somebody wants the client to end.
  while (!stop && !training.has_served()) {
    manager.alive(steady_now());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  if (data.followed) data.followed->stop();
  return leaves_for_key && !stop ? ServiceEnd::key_changed : ServiceEnd::finished;
}

}  // namespace

Result<void> run_client(const ClientConfig& config, const ClientData& data, learning::Trainer& trainer,
                        learning::ModelSaver* saver, const Logger& log, ServiceManager& manager,
                        const std::atomic<bool>& stop) {
  lower_priority(config.resources.nice, log);
  for (;;) {
    HANSA_TRY(const ServiceEnd end, serve(config, data, trainer, saver, log, manager, stop));
    if (end == ServiceEnd::finished) return {};
  }
}

}  // namespace hansa::client
