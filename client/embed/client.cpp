#include "client/embed/client.h"

#include "client/process/client_process.h"
#include "client/state/client_data.h"
#include "learning/find_value_places.h"

namespace hansa::client {

namespace {

// The files of [serving] are the federation's archive, also where the program trains a module of its own.
class LocalSaver final : public learning::ModelSaver {
 public:
  Result<learning::WrittenFile> save(const learning::TrainingRequest& request,
                                     learning::PersonalValues personal, const std::filesystem::path& out,
                                     std::stop_token stop) override {
    std::vector<std::string> patterns;
    if (const auto* method = find_method(built_in_methods(), request.method.name))
      patterns = training_config(*method, request.method).personal;
    HANSA_TRY(const learning::ValuePlaces places, learning::find_value_places(request.archive, patterns));
    return learning::save_at_places(request, personal, places, out, stop);
  }
};

}  // namespace

Result<void> run(const ClientConfig& config, const Options& options, const std::atomic<bool>& stop) {
  HANSA_TRY(const ClientData data, open_client_data(config, KeepState::in_folder, learning::open_examples,
                                                    learning::supply_data(config.data)));
  learning::LocalTrainerConfig trainer_config;
  trainer_config.supply = data.supply;
  trainer_config.scale = config.data.scale;
  trainer_config.threads = config.resources.threads;
  trainer_config.memory_bytes_max = config.resources.memory_mib_max << 20;
  const auto trainer = options.make_trainer(trainer_config);
  LocalSaver saver;
  const Logger log =
      Logger::to_stderr("client", options.log_level, options.log_format).with_client(config.name);
  ServiceManager manager;  // none: the program may be a service, and reports for itself
  return run_client(config, data, *trainer, &saver, log, manager, stop);
}

}  // namespace hansa::client
