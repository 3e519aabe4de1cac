package types

// Metric is a distance between vectors.
type Metric uint8

// The metrics, with pgvector's operators.
const (
	MetricNone         Metric = iota
	MetricL2                  // <-> Euclidean distance
	MetricInnerProduct        // <#> negative inner product
	MetricCosine              // <=> cosine distance, 1 - cos
	MetricL1                  // <+> taxicab distance
	MetricHamming             // <~> number of differing bits
	MetricJaccard             // <%> Jaccard distance of bit strings
)

var metricNames = [...]string{"none", "l2", "ip", "cosine", "l1", "hamming", "jaccard"}
var metricOperators = [...]string{"", "<->", "<#>", "<=>", "<+>", "<~>", "<%>"}

// String returns the metric's name as operator classes spell it (l2, ip, …).
func (m Metric) String() string { return metricNames[m] }

// Operator returns the SQL operator that orders by this metric.
func (m Metric) Operator() string { return metricOperators[m] }

// MetricByOperator returns the metric of a distance operator, MetricNone for
// any other operator.
func MetricByOperator(op string) Metric {
	for i, o := range metricOperators {
		if o == op && op != "" {
			return Metric(i)
		}
	}
	return MetricNone
}
