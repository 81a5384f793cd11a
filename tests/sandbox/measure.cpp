#include <chrono>
#include <cstdio>
#include <algorithm>
#include "client/trainer/process_trainer.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "tests/data/data_files.h"
using namespace hansa;
int main(int argc, char** argv) {
  learning::testing::TemporaryFolder folder;
  const std::string name = argc > 1 ? argv[1] : "cnn-mcmahan";
  const unsigned examples = argc > 2 ? std::atoi(argv[2]) : 100;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 20;
  const auto data = learning::testing::write_data(folder, {examples, 28, 28, 10});
  if (!learning::create_built_in(name, 1, folder / "m.pt")) return 1;
  const auto model = learning::describe_archive(folder / "m.pt");
  learning::LocalTrainerConfig local;
  local.data = data;
  const auto inside = learning::make_local_trainer(local);
  client::ProcessTrainerConfig config;
  config.data = data;
  client::ProcessTrainer outside(config, Logger());
  client::ProcessTrainerConfig passed;
  passed.data = learning::supply_data(data);
  client::ProcessTrainer outside_passed(passed, Logger());
  std::vector<float> delta(model->parameters.size());
  learning::TrainingRequest request;
  request.archive = folder / "m.pt";
  request.layout = model->layout.digest();
  request.method = sgd_method({1, 20, 0.01, 0, 0, 0});
  request.seed = 1;
  std::vector<learning::Trainer*> all{inside.get(), &outside, &outside_passed};
  std::vector<std::vector<double>> times(3), loops(3);
  for (int r = 0; r < rounds; ++r)
    for (std::size_t i = 0; i < 3; ++i) {
      const auto start = std::chrono::steady_clock::now();
      const auto result = learning::train_on(*all[i], request, model->parameters, delta);
      if (!result) {
        std::puts(result.error().text().c_str());
        return 1;
      }
      times[i].push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      loops[i].push_back(result->train_seconds);
    }
  std::printf("%s, %zu values\n", name.c_str(), delta.size());
  for (std::size_t i = 0; i < 3; ++i) {
    std::printf("first %.1f ms; ", times[i][0] * 1e3);
    for (auto* v : {&times[i], &loops[i]}) {
      std::sort(v->begin(), v->end());
      std::printf("min %.3f median %.3f ms  ", (*v)[0] * 1e3, (*v)[v->size() / 2] * 1e3);
    }
    std::puts("");
  }
}
