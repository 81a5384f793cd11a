// A small SentencePiece model, trained in the test.
#pragma once
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <sentencepiece_trainer.h>

namespace hansa::learning::testing {

// options: further ones of spm_train.
inline void train_tokenizer(const std::filesystem::path& model, const std::string& options = "",
                            int vocabulary_size = 60) {
  std::filesystem::path corpus = model;
  corpus.replace_extension(".corpus");
  std::ofstream out(corpus);
  for (int i = 0; i < 200; ++i)
    out << "the pump number " << i * 7919 % 100 << " runs and the valve opens\n"
        << "a valve of the pump is open while number " << i * 31 % 17 << " is closed\n";
  out.close();
  std::filesystem::path prefix = model;
  prefix.replace_extension("");
  const auto status = sentencepiece::SentencePieceTrainer::Train(
      "--input=" + corpus.string() + " --model_prefix=" + prefix.string() + " --vocab_size=" +
      std::to_string(vocabulary_size) + " --hard_vocab_limit=false --minloglevel=4 " + options);
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

}  // namespace hansa::learning::testing
