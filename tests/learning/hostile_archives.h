// Archives whose code does what a model's code may not do. Torch-free header.
#pragma once
#include <filesystem>
#include <string>

namespace hansa::learning::testing {

// A linear model of 16 features and 3 classes with these further TorchScript methods, as an attacker saves it.
void write_archive_with(const std::string& methods, const std::filesystem::path& path);
// The same, in which a submodule has the methods, and is not called.
void write_archive_with_submodule(const std::string& methods, const std::filesystem::path& path);

// A linear model with an attribute of a class of torch.classes, which this program registers.
void write_archive_with_compiled_class(const std::filesystem::path& path);
// How often that class's code has been executed to load an object.
[[nodiscard]] int compiled_class_loads();

// A linear model with a parameter that no training moves, and a value of metrics(), whose names are escape sequences.
void write_archive_with_hostile_names(const std::filesystem::path& path);

// A linear model with a buffer that claims more values than its memory holds.
void write_archive_with_oversized_buffer(const std::filesystem::path& path);

// A linear model whose class declares an attribute with an object of a class of 4,000 attributes, whose last one forward()
// reads. The archive holds an object of a class with one attribute, in the place that `Confused` names.
enum class Confused { attribute, list, list_of_another_type, dictionary, tuple };
void write_archive_with_confused_object(Confused place, const std::filesystem::path& path);
// A linear model with a tuple of one element where two are declared.
void write_archive_with_short_tuple(const std::filesystem::path& path);

// A copy of the archive with another content of one record; the record is added if there is none.
void write_with_record(const std::filesystem::path& archive, const std::string& record,
                       const std::string& content, const std::filesystem::path& path);
[[nodiscard]] std::string record_of(const std::filesystem::path& archive, const std::string& record);

}  // namespace hansa::learning::testing
