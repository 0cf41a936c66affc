package clv

import "math"

// The mixing distributions of the models are integrated by the trapezoidal rule on the log scale of a gamma variable
// and the logit scale of a beta variable, where the integrands are analytic and the rule converges geometrically.
// Normalizing by the rule's own sum makes the weights probabilities.

// A node is a value of a mixing variable with its probability.
type node struct{ value, weight float64 }

// negligible is the log of the weight, relative to the largest, at which a rule is cut.
const negligible = -41

// gammaNodes returns a rule for a gamma variable with the given shape and rate 1 and for functions that behave like
// value^order near 0, with order >= 0. A variable v with value e^v would have a long left tail for small shapes; with
// v = w - e^-w both tails fall off doubly exponentially.
func gammaNodes(nodes []node, shape, order float64) []node {
	h := min(0.16, 0.55/math.Sqrt(shape))
	// The largest weight lies near v = ln shape.
	mode := math.Log(shape + order)
	w := mode
	for range 60 {
		e := math.Exp(-w)
		step := (w - e - mode) / (1 + e)
		if w -= step; math.Abs(step) < 1e-3 {
			break
		}
	}
	logWeight := func(w float64) (v, weight, bound float64) {
		e := math.Exp(-w)
		v = w - e
		value := math.Exp(v)
		weight = shape*v - value + math.Log1p(e)
		return value, weight, weight + order*v
	}
	_, top, peak := logWeight(w)
	nodes = nodes[:0]
	total := 0.0
	for _, step := range [2]float64{h, -h} {
		at := w
		if step < 0 {
			at -= h
		}
		for range 4000 {
			value, weight, bound := logWeight(at)
			if weight < top+negligible && bound < peak+negligible {
				break
			}
			relative := math.Exp(weight - top)
			total += relative
			if bound >= peak+negligible {
				nodes = append(nodes, node{value, relative})
			}
			at += step
		}
	}
	normalize(nodes, total)
	return nodes
}

// betaNodes returns a rule for a beta variable and for functions that are constant below the value low and analytic in
// a strip of the logit scale as wide as their own singularities on the negative axis allow. The tails beyond low and
// beyond 1 - 1e-17 are summed in closed form.
func betaNodes(nodes []node, a, b, low float64) []node {
	h := betaStep(a, b)
	mode := math.Log(a / b)
	logWeight := func(v float64) (value, weight float64) {
		if v < 0 {
			e := math.Exp(v)
			l := math.Log1p(e)
			return e / (1 + e), a*(v-l) - b*l
		}
		e := math.Exp(-v)
		l := math.Log1p(e)
		return 1 / (1 + e), -a*l - b*(v+l)
	}
	_, top := logWeight(mode)
	left, right := math.Log(low), 39.0
	nodes = nodes[:0]
	total := 0.0
	for v := mode; ; v += h {
		value, weight := logWeight(v)
		if weight < top+negligible {
			break
		}
		weight = math.Exp(weight - top)
		if v > right {
			nodes = append(nodes, node{value, weight / -math.Expm1(-b*h)})
			break
		}
		nodes = append(nodes, node{value, weight})
	}
	for v := mode - h; ; v -= h {
		value, weight := logWeight(v)
		if weight < top+negligible {
			break
		}
		weight = math.Exp(weight - top)
		if v < left {
			nodes = append(nodes, node{value, weight / -math.Expm1(-a*h)})
			break
		}
		nodes = append(nodes, node{value, weight})
	}
	for _, n := range nodes {
		total += n.weight
	}
	normalize(nodes, total)
	return nodes
}

// betaStep returns a step at which the Fourier transform of the weight, |Gamma(a+iw) Gamma(b-iw)| with w = 2 pi/h, has
// fallen by e^-36, in Stirling's approximation.
func betaStep(a, b float64) float64 {
	fall := func(c, w float64) float64 {
		return max(c-0.5, 0)/2*math.Log1p(w*w/(c*c)) - w*math.Atan(w/c)
	}
	h := min(0.5, 0.8*math.Sqrt(1/a+1/b))
	for range 8 {
		w := 2 * math.Pi / h
		if fall(a, w)+fall(b, w) < -36 {
			break
		}
		h *= 0.8
	}
	return h
}

func normalize(nodes []node, total float64) {
	for i := range nodes {
		nodes[i].weight /= total
	}
}
