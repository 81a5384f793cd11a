// One function for each kind in this folder, which opens its data: data_source.h, open_data_source().
#pragma once
#include <memory>

#include "learning/data/data_source.h"

namespace hansa::learning::kinds {

[[nodiscard]] Result<std::unique_ptr<DataSource>> open_audio(const DataConfig& config);
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_cifar(const DataConfig& config);
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_hdf5(const DataConfig& config);
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_images(const DataConfig& config);
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_jsonl(const DataConfig& config);
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_npy(const DataConfig& config);
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_sqlite(const DataConfig& config);
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_tokens(const DataConfig& config);

}  // namespace hansa::learning::kinds
