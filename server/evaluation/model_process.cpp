#include "server/evaluation/model_process.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "common/open_file.h"
#include "common/process/child.h"
#include "common/process/shared_memory.h"
#include "common/program_files.h"
#include "common/text.h"
#include "learning/archive_file.h"
#include "learning/wire/wire.h"
#include "server/evaluation/internal/protocol.h"

namespace hansa::server {
namespace {

using learning::Json;

static_assert(std::endian::native == std::endian::little, "parameter files are little-endian");

std::filesystem::path program() { return find_program_file("hansa-evaluator"); }

// The model's layout and values need about as much memory as its archive, which is not compressed.
std::size_t description_bytes_max(std::uintmax_t archive_bytes) {
  return (std::size_t{64} << 20) + 8 * archive_bytes;
}

// A crash of the child is the fault of the model's code, or a lack of memory.
Error explained(const Child& child, Error error) {
  if (!child.end()) return error;
  if (child.end()->signal == SIGKILL)
    error.hint = "the machine may be short of memory: evaluate on fewer examples";
  if (child.end()->signal == SIGSYS)
    error.hint = "the model's code tried what its sandbox forbids: do not use it";
  return error;
}

Result<Descriptor> open_for_child(const std::filesystem::path& path, ErrorCode code, const char* hint) {
  Descriptor file = open_file(path, O_RDONLY | O_CLOEXEC);
  if (!file)
    return fail(code, path.string(), std::string("cannot be opened (") + std::strerror(errno) + ")", hint);
  return file;
}

Result<Json> parse_answer(std::string_view frame) {
  return learning::parse_answer(frame, program().string());
}

struct Evaluated {
  Metrics metrics;
  std::string warning;  // from a child that a model's code may have taken over
};

Result<Evaluated> parse_metrics(std::string_view frame) {
  constexpr std::size_t warning_bytes_max = 1'000;
  HANSA_TRY(const Json answer, parse_answer(frame));
  try {
    return Evaluated{learning::metrics_of(answer.at("metrics")),
                     printable(answer.at("warning").get<std::string>().substr(0, warning_bytes_max))};
  } catch (const Json::exception& caught) {
    return fail(ErrorCode::internal, program().string(),
                std::string("sent metrics that cannot be read: ") + caught.what());
  }
}

// The request that opens a model, with its archive.
struct Opening {
  std::filesystem::path archive;
  std::string frame;

  [[nodiscard]] Result<void> send(Child& child) const {
    HANSA_TRY(const Descriptor file, open_for_child(archive, ErrorCode::model, "name a TorchScript archive"));
    const int descriptor = file.get();
    return child.send(frame, std::span(&descriptor, 1));
  }
};

class Evaluator final : public BackgroundEvaluator {
 public:
  Evaluator(Opening opening, Child child) : opening_(std::move(opening)), child_(std::move(child)) {}

  bool busy() const override { return busy_; }
  int descriptor() const override { return child_ ? child_->descriptor() : -1; }

  void request(const std::filesystem::path& parameters) override {
    busy_ = true;
    auto file = open_for_child(parameters, ErrorCode::storage, "");
    if (!file) {
      failure_ = std::move(file).error();
      return;
    }
    const int descriptor = file->get();
    const std::string frame =
        learning::frame_of({{"op", "evaluate"}, {"parameters", learning::absolute_path(parameters)}});
    if (child_ && child_->send(frame, std::span(&descriptor, 1))) return;
    child_.reset();
    auto started = Child::start(program());
    if (!started) {
      failure_ = std::move(started).error();
      return;
    }
    child_ = std::move(*started);
    open_answer_awaited_ = true;
    // If the child has died already, take() reports how.
    if (auto sent = opening_.send(*child_); !sent && !child_->end()) failure_ = std::move(sent).error();
    else if (sent) (void)child_->send(frame, std::span(&descriptor, 1));
  }

  std::optional<Result<Metrics>> take() override {
    if (failure_) return finish(tl::unexpected<Error>(*std::exchange(failure_, std::nullopt)));
    if (!child_) return std::nullopt;
    auto line = child_->receive();
    if (line && *line && open_answer_awaited_) {
      open_answer_awaited_ = false;
      // If opening failed, the request that followed fails too, but with a less useful error.
      if (auto opened = parse_answer(**line); !opened) return fail_request(std::move(opened).error());
      line = child_->receive();
    }
    if (!line) return fail_request(explained(*child_, std::move(line).error()));
    if (!*line) return std::nullopt;
    if (!busy_)
      return fail_request({ErrorCode::internal, program().string(), "sent an answer to no request", ""});
    auto evaluated = parse_metrics(**line);
    if (!evaluated) return finish(tl::unexpected<Error>(std::move(evaluated).error()));
    if (!evaluated->warning.empty() && !std::exchange(has_warned_, true))
      warning_ = std::move(evaluated->warning);
    return finish(std::move(evaluated->metrics));
  }
  std::string take_warning() override { return std::exchange(warning_, {}); }

 private:
  Result<Metrics> finish(Result<Metrics> answer) {
    busy_ = false;
    return answer;
  }
  // Drops this child. The next request starts another one.
  std::optional<Result<Metrics>> fail_request(Error error) {
    child_.reset();
    open_answer_awaited_ = false;
    if (!std::exchange(busy_, false)) return std::nullopt;
    return Result<Metrics>(tl::unexpected<Error>(std::move(error)));
  }

  Opening opening_;
  std::optional<Child> child_;
  std::optional<Error> failure_;  // why a child could not be started; the next take() reports it
  bool busy_ = false;
  bool open_answer_awaited_ = false;
  std::string warning_;
  bool has_warned_ = false;
};

}  // namespace

Result<ArchiveFacts> describe_archive_in_child(const std::filesystem::path& archive,
                                               std::span<const std::string> personal) {
  HANSA_TRY(Descriptor opened, open_for_child(archive, ErrorCode::model, "name a TorchScript archive"));
  struct stat status {};
  if (::fstat(opened.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return fail(ErrorCode::model, archive.string(), "is not a file", "name a TorchScript archive");
  const auto archive_bytes = static_cast<std::uintmax_t>(status.st_size);
  const learning::ArchiveFile file(archive, std::move(opened), "opened");
  ArchiveFacts facts;
  HANSA_TRY(facts.archive, file.digest());
  HANSA_TRY(const SharedMemory memory, SharedMemory::create(description_bytes_max(archive_bytes)));
  HANSA_TRY(Child child, Child::start(program()));
  const std::array descriptors{file.file()->get(), memory.descriptor()};
  HANSA_TRY_VOID(child.send(learning::frame_of({{"op", "describe"},
                                                {"archive", learning::absolute_path(archive)},
                                                {"personal", std::vector(personal.begin(), personal.end())},
                                                {"memory_bytes", memory.bytes().size()}}),
                            descriptors));
  auto frame = child.wait();
  if (!frame) return tl::unexpected<Error>(explained(child, std::move(frame).error()));
  HANSA_TRY(const Json answer, parse_answer(*frame));
  // The child may have been taken over by the archive: its sizes are checked, and its memory is copied once.
  const auto size = [&](const char* name) {
    const auto found = answer.find(name);
    return found != answer.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : UINT64_MAX;
  };
  const std::uint64_t layout_bytes = size("layout_bytes"), values = size("values");
  const std::size_t room = memory.bytes().size();
  if (layout_bytes > room || internal::values_offset(layout_bytes) > room ||
      values > (room - internal::values_offset(layout_bytes)) / sizeof(float))
    return fail(ErrorCode::internal, program().string(), "describes more than it was given room for");
  const std::string layout(reinterpret_cast<const char*>(memory.bytes().data()), layout_bytes);
  HANSA_TRY(facts.layout, ParameterLayout::parse(layout, archive.string()));
  if (facts.layout.element_count() != values)
    return fail(ErrorCode::internal, program().string(), "describes a layout that does not fit its values");
  facts.parameters.resize(values);
  if (values > 0)
    std::memcpy(facts.parameters.data(), memory.bytes().data() + internal::values_offset(layout_bytes),
                values * sizeof(float));
  try {
    facts.has_training_loss = answer.at("has_training_loss").get<bool>();
    facts.has_metrics = answer.at("has_metrics").get<bool>();
    facts.metric_names = answer.at("metric_names").get<std::vector<std::string>>();
  } catch (const Json::exception&) {
    return fail(ErrorCode::internal, program().string(), "describes a model in a way that cannot be right");
  }
  HANSA_TRY(const Digest afterwards, file.digest());
  if (afterwards != facts.archive)
    return fail(ErrorCode::model, archive.string(), "changed while it was read",
                "try again when it is complete");
  return facts;
}

Result<std::unique_ptr<BackgroundEvaluator>> BackgroundEvaluator::start(const std::filesystem::path& archive,
                                                                        const learning::DataConfig& data,
                                                                        int threads,
                                                                        std::span<const std::string> personal,
                                                                        std::span<const float> statistics) {
  Opening opening{archive,
                  learning::frame_of({{"op", "open"},
                                      {"archive", learning::absolute_path(archive)},
                                      {"personal", std::vector(personal.begin(), personal.end())},
                                      {"data", learning::json_of(data)},
                                      {"statistics", std::vector(statistics.begin(), statistics.end())},
                                      {"threads", threads}})};
  HANSA_TRY(Child child, Child::start(program()));
  HANSA_TRY_VOID(opening.send(child));
  auto frame = child.wait();
  if (!frame) return tl::unexpected<Error>(explained(child, std::move(frame).error()));
  HANSA_TRY_VOID(parse_answer(*frame));
  return std::make_unique<Evaluator>(std::move(opening), std::move(child));
}

}  // namespace hansa::server
