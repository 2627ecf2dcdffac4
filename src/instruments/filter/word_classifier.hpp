// To which class does a word belong, by the features it has? Multinomial logistic regression, trained by stochastic gradient in a fixed order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace unveil::filter {

class WordClassifier {
  public:
    struct Example {
        const std::vector<std::uint32_t>* features = nullptr;   // sorted, each once, below `features` of train()
        std::size_t number = 0;                                 // of its class
    };
    /// O(examples * features of one * classes).
    void train(const std::vector<Example>& examples, std::size_t features, std::size_t classes);
    /// By class; they sum up to one. Empty when nothing was learnt.
    std::vector<double> probabilities(const std::vector<std::uint32_t>& features) const;

  private:
    std::size_t m_classes = 0;
    std::vector<double> m_weights;   // by feature and class
};

}  // namespace unveil::filter
