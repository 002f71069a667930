typedef int plot_empty;
