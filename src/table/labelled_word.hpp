// A word or rule of which somebody said what it is about. Lists of them are evidence of the instruments that sort rules into topics.
#pragma once

#include <string>
#include <vector>

#include "table/source.hpp"

namespace unveil {

struct LabelledWord {
    std::string word;     // "a + b" for several components
    std::string label;    // a category of the list, or a topic
    bool is_topic = false;    // the label is the name of a topic, said by whoever made the file: it overrules what is computed
    std::string category = {};   // of a codebook, where the list has one beside the label or as the label
    std::string theme = {};      // to which the category belongs
};

class LabelledWordSource : public RecordSource {
  public:
    /// Puts up to batch_words_max words in place of what stood there; false at the end.
    virtual bool next(std::vector<LabelledWord>& batch) = 0;
    static constexpr std::size_t batch_words_max = 4096;
};

}  // namespace unveil
