SELECT bluegreen.lift()
