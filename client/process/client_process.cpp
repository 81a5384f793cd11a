#include "client/process/client_process.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/resource.h>

#include "client/engine/engine.h"
#include "client/process/archive_folder.h"
#include "client/check/checks.h"
#include "client/process/data_retry.h"
#include "client/process/outage_watch.h"
#include "client/process/serving_folder.h"
#include "client/process/training_thread.h"
#include "common/entropy.h"
#include "common/files.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/secure_aggregation/hold_out_key.h"
#include "protocols/transport/client_channel.h"

namespace hansa::client {
namespace {

class ChannelLink final : public Link {
 public:
  ChannelLink(const ClientConfig& config, const transport::SecretKey& key, const Logger& log)
      : file_(config.file),
        variables_(config.variables),
        addresses_(config.addresses),
        proxy_(config.proxy),
        aggregator_(config.aggregator_key),
        key_(key),
        log_(log) {}

  void open(std::uint64_t attempt) override {
    // The operator may have changed the address while this client was away.
    if (attempt > 0) reread_addresses();
    transport::ClientChannelConfig config;
    config.address = addresses_[attempt % addresses_.size()];
    config.proxy = proxy_;
    config.aggregator = aggregator_;
    log_.debug("connecting to " + config.address);
    auto opened = transport::ClientChannel::open(config, key_);
    if (opened) channel_ = std::move(*opened);
    else failed_ = std::move(opened).error();
  }
  void close() override {
    if (channel_) closing_ = std::move(channel_);  // it may be closed twice in one callback
  }
  void send(std::span<const std::byte> message, const transport::Bulk& bulk) override {
    // A message that cannot be queued is lost with the connection; the next session resumes.
    if (channel_ && !channel_->send(message, bulk)) log_.debug("a message could not be queued");
  }

  // The channel must not be destroyed inside its own callbacks.
  void release_closed() { closing_.reset(); }
  [[nodiscard]] transport::ClientChannel* channel() const { return channel_.get(); }
  [[nodiscard]] std::optional<Error> take_failure() { return std::exchange(failed_, std::nullopt); }

 private:
  void reread_addresses() {
    auto config = read_client_config(file_, variables_);
    if (!config) {
      log_.warning("keeps the old address: " + config.error().text());
      return;
    }
    if (config->addresses != addresses_) log_.info("has a new address from " + file_.string());
    addresses_ = config->addresses;
    proxy_ = config->proxy;
  }

  std::filesystem::path file_;
  config::Variables variables_;
  std::vector<std::string> addresses_;
  std::string proxy_;
  transport::PublicKey aggregator_;
  const transport::SecretKey& key_;
  const Logger& log_;
  std::unique_ptr<transport::ClientChannel> channel_, closing_;
  std::optional<Error> failed_;
};

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

// Looks, on a thread of its own, why the aggregator cannot be reached. The resolver cannot be interrupted, so that nobody
// waits for the thread: it holds what it uses.
class OutageCheck {
 public:
  void start(const std::filesystem::path& file, const config::Variables& variables) {
    auto shared = shared_;
    if (shared->running.exchange(true)) return;
    std::thread([shared, file, variables] {
      std::vector<Finding> found;
      // The files as they are now: somebody may be correcting them.
      if (const auto config = read_client_config(file, variables)) {
        if (const auto key = transport::read_secret_key(config->key))
          found = check_connection(*config, *key, utc_seconds_now());
      }
      const std::lock_guard lock(shared->mutex);
      shared->found = std::move(found);
      shared->running = false;
    }).detach();
  }
  [[nodiscard]] std::vector<Finding> take() {
    const std::lock_guard lock(shared_->mutex);
    return std::exchange(shared_->found, {});
  }

 private:
  struct Shared {
    std::atomic<bool> running = false;
    std::mutex mutex;
    std::vector<Finding> found;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

void log_findings(const std::vector<Finding>& findings, const Logger& log) {
  for (const Finding& finding : findings) {
    if (finding.outcome == Outcome::failed)
      log.error("check of " + std::string(name(finding.check)) + ": " + finding.text +
                (finding.hint.empty() ? "" : "; " + finding.hint));
    else if (finding.outcome == Outcome::passed)
      log.info("check of " + std::string(name(finding.check)) + ": " + finding.text);
  }
}

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
                     model.train_unapproved ? Unapproved::train : Unapproved::decline};
}

// Empty: no model is written.
std::optional<ServingFolder> open_serving(const ClientConfig& config, const learning::ModelSaver* saver,
                                          const Logger& log) {
  if (config.serving.write == WriteModels::never || saver == nullptr) return std::nullopt;
  auto folder = ServingFolder::open(config.serving.folder, config.state, config.federation);
  if (folder) return std::move(*folder);
  log.warning("no model is written for programs of this device: " + folder.error().text());
  return std::nullopt;
}

}  // namespace

Result<void> run_client(const ClientConfig& config, const ClientData& data, learning::Trainer& trainer,
                        learning::ModelSaver* saver, const Logger& log, ServiceManager& manager,
                        const std::atomic<bool>& stop) {
  HANSA_TRY(const auto key, transport::read_secret_key(config.key));
  HANSA_TRY(auto archives, ArchiveFolder::open(config.state));
  lower_priority(config.resources.nice, log);

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
  engine_config.hold_out_key = secure_aggregation::hold_out_key(identity);
  if (const auto& secure = config.secure_aggregation) {
    agent.secure_sums =
        SecureSums{std::make_shared<const secure_aggregation::SigningKey>(std::move(identity)), secure->root,
                   secure->policy, secure->required};
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
  engine_config.data = data.supply;
  engine_config.ledger = data.ledger;
  agent.decline_without_new = config.follow && config.follow->without_new == learning::WithoutNew::decline;
  engine_config.log = [&](Log::Level level, const std::string& text) {
    switch (level) {
      case Log::Level::debug: return log.debug(text);
      case Log::Level::info: return log.info(text);
      case Log::Level::warning: return log.warning(text);
      case Log::Level::error: return log.error(text);
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
  const auto write_model = [&](const ModelToServe& model, const Metrics& trained) {
    const Instant began = steady_now();
    const auto written = serving->write(model, trained, *saver);
    if (written) {
      const std::string text = "the model of round " + std::to_string(model.round.value) + " is in " +
                               config.serving.folder.string() + ", written in " +
                               std::to_string(seconds(steady_now() - began)) + " s";
      if (model.trained == TaskId{}) log.info(text);  // the last one
      else log.debug(text);
    } else if (written.error().text() != fault) {
      log.warning("cannot write the model of round " + std::to_string(model.round.value) +
                  " for programs of this device: " + written.error().text());
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
    log.info("stops");
    return {};
  }
  const Result<learning::AvailableData> available = *std::move(first_look);
  Engine engine(std::move(engine_config), link, training, archives, steady_now());
  if (!available && !data.followed) log.error(available.error().text());
  // What the data's files have to say is the same each time they are opened.
  std::vector<Error> noted;
  const auto report_of_data = [&](const Result<learning::AvailableData>& found) {
    messages::DataReport out = data_report(found, reports);
    if (!found) return out;
    for (const Error& note : found->notes) {
      if (std::ranges::find(noted, note.text(), &Error::text) != noted.end()) continue;
      log.warning(note.text());
      out.notices.push_back(report_of(note, reports));
    }
    noted = found->notes;
    return out;
  };
  messages::DataReport report = report_of_data(available);
  if (const auto notice = data.state->take_notice()) {
    log.warning(notice->text());
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
  handlers.on_message = [&](std::span<const std::byte> message, std::span<const std::byte> bulk) {
    engine.receive(message, bulk, steady_now());
  };
  handlers.on_link = [&](const transport::LinkEvent& event) {
    const bool connected = event.kind == transport::LinkEvent::Kind::connected;
    manager.status(connected ? "connected to the aggregator" : "not connected: " + event.error.text());
    if (connected) {
      outage.connected();
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
      log.info("stops");
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
        log.warning(notice.text());
        now.notices.push_back(report_of(notice, reports));
      }
      engine.data_known(now, description_of(found), steady_now());
    }
    if (outage.take_due(steady_now())) outage_check.start(config.file, config.variables);
    log_findings(outage_check.take(), log);
    if (retry.take_due(steady_now())) training.look_at_data();
    if (const auto found = training.take_data()) {
      retry.looked(found->has_value(), steady_now());
      if (*found) log.info("the data can be used now");
      engine.data_known(report_of_data(*found), description_of(*found), steady_now());
    }
    if (auto ended = training.take()) {
      if (ended->result && !ended->result->note.empty() && ended->result->note != last_note) {
        last_note = ended->result->note;
        log.warning(last_note);
      }
      if (ended->result)
        log.info("round " + std::to_string(ended->task.round.value) + ": trained on " +
                 std::to_string(ended->result->examples) + " examples" +
                 (data.followed ? ", " + std::to_string(ended->result->new_examples) + " of them new, in "
                                : " in ") +
                 std::to_string(ended->result->train_seconds) + " s");
      engine.training_ended(ended->task, std::move(ended->result), steady_now());
    }
    if (steady_now() >= engine.next_tick()) engine.tick(steady_now());
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
  return {};
}

}  // namespace hansa::client
