DROP FUNCTION bluegreen.fence()
