DROP EVENT TRIGGER bluegreen_freeze
