// A word or rule of which somebody said what it is about. Lists of them are evidence of the instruments that sort rules into topics.
#pragma once

#include <string>
#include <vector>

#include "table/source.hpp"

namespace unveil {

struct LabelledWord {
    std::string word;                   // "a + b" for several components
    std::string label;                  // a topic, else a category of the list, else its theme
    bool is_said = false;               // by whoever made the file, of this very rule: it overrules what is computed
    std::string category = {};          // of a codebook, where the list has a column for it
    std::string category_number = {};   // of the category in the codebook
    std::string theme = {};             // to which the category belongs
};

class LabelledWordSource : public RecordSource {
  public:
    /// Puts up to batch_words_max words in place of what stood there; false at the end.
    virtual bool next(std::vector<LabelledWord>& batch) = 0;
    static constexpr std::size_t batch_words_max = 4096;
};

}  // namespace unveil
