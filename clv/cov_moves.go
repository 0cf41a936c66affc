package clv

// A covMoves holds by how much covariates move the coordinates of some dozens of customers, so that their exponentials
// are taken at once.
type covMoves struct {
	c      *covProblem
	theta  []float64
	by     []covMove // one an effect
	slopes []float64 // of each effect, one a column
	n      int
	starts [len(lanes{}) + 1]int // the first row of each customer, and the end of the last one
	factor []float64             // of one customer, one a coordinate
}

type covMove struct{ by, factor lanes }

func newCovMoves(c *covProblem, theta []float64) *covMoves {
	width := len(c.mean)
	m := &covMoves{c: c, theta: theta[:c.base], by: make([]covMove, len(c.param)),
		slopes: make([]float64, len(c.param)*width), factor: make([]float64, c.base)}
	for _, s := range c.slots {
		m.slopes[s.effect*width+s.column] = c.sign[s.effect] * theta[s.param]
	}
	for p := range m.factor {
		m.factor[p] = 1
	}
	return m
}

// fill takes customers from the row from on and returns the row after them, hi at the most.
func (m *covMoves) fill(from, hi int) int {
	of := m.c.rows.of
	m.n = 0
	for ; from < hi && m.n < len(lanes{}); m.n++ {
		m.starts[m.n] = from
		for from++; from < hi && of[from] == of[from-1]; from++ {
		}
	}
	m.starts[m.n] = from
	width := len(m.c.mean)
	for e := range m.by {
		by, slopes := &m.by[e].by, m.slopes[e*width:(e+1)*width]
		for i, row := range m.starts[:m.n] {
			eta := 0.0
			for j, x := range m.c.x[row*width : (row+1)*width] {
				eta += slopes[j] * x
			}
			by[i] = eta
		}
		m.c.link.factors(m.c.param[e], by[:m.n], m.by[e].factor[:m.n])
	}
	return from
}

// move sets by and v to the moves and the parameters of customer i.
func (m *covMoves) move(i int, by, v []float64) {
	for e, p := range m.c.param {
		by[p], m.factor[p] = m.by[e].by[i], m.by[e].factor[i]
	}
	m.c.link.moveBy(m.theta, by, m.factor, v)
}
