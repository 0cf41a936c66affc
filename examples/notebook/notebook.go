// Package notebook shows charts in the cells of quickstart.ipynb, a notebook for GoNB, a Go kernel of Jupyter. It tells the
// story of the program quickstart cell by cell. With Jupyter and GoNB (https://github.com/janpfeifer/gonb) installed,
//
//	jupyter lab examples/notebook/quickstart.ipynb
//
// opens it in a checkout, and
//
//	jupyter nbconvert --to notebook --execute --inplace examples/notebook/quickstart.ipynb
//
// runs it anew and keeps what its cells print. The cells know their values by name, as those of any notebook do: GoNB
// keeps declarations from cell to cell and runs what follows %% in each.
package notebook

import (
	"encoding/gob"
	"fmt"
	"os"

	"github.com/custval/custval/examples/charts"
)

// A message is what GoNB shows in a cell. GoNB reads it by the names of its fields, from a gob.
type message struct {
	Data      map[string]any // by media type
	Metadata  map[string]any
	DisplayID string
}

// Show shows charts below the cell that calls it, once a cell. Outside a notebook it does nothing.
func Show(shown ...charts.Chart) (err error) {
	pipe := os.Getenv("GONB_PIPE") // the path of the named pipe from which the kernel reads
	if pipe == "" {
		return nil
	}
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("notebook: %w", err)
	}
	defer func() {
		if e := w.Close(); err == nil && e != nil {
			err = fmt.Errorf("notebook: %w", e)
		}
	}()
	out := gob.NewEncoder(w)
	for _, c := range shown {
		png, err := c.PNG()
		if err != nil {
			return err
		}
		if err := out.Encode(message{Data: map[string]any{"image/png": png}}); err != nil {
			return fmt.Errorf("notebook: %w", err)
		}
	}
	return nil
}
