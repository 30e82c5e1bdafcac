Feature: A line fails, or the controller dies
  Lines come back and controllers start again. The money is settled once all the same.

  Source: EV guide, error scenarios; PSP guide, session management

  @must @R-FLT-01 @R-SES-13 @R-FLT-06
  Rule: A charger that cannot be reached is waited for, but not for ever

    @S-G01 @sample
    Scenario: The link to the charger is away for 30 seconds
      Given the driver is charging at connector 1
      And the charger is offline
      And 30 seconds have passed
      When the link to the charger comes back
      Then energy still flows at connector 1
      And the driver's session stays open

    @S-G02
    Scenario: The link to the charger never comes back
      Given the driver is charging at connector 1
      When the link to the charger is lost
      Then the driver's session is committed within 660 seconds

    @S-G03 @R-FLT-03
    Scenario: The link to the charger is lost before any energy
      Given the driver comes with the sleepy
      And the driver has been authorised
      And the driver has plugged in at connector 1
      When the link to the charger is lost
      Then the driver's session is released within 660 seconds

  @must @R-TRM-01 @R-TRM-02
  Rule: A terminal without its host opens no paid session

    @S-H01
    Scenario: The host is away when the driver taps
      Given the terminal cannot reach its host
      And the driver has plugged in at connector 1
      When the driver taps
      Then no session is opened
      And no energy flows at connector 1

  @must @R-TRM-03 @R-SES-09
  Rule: A close that the terminal confirms without its host is a close

    @S-H02 @sample
    Scenario: The host is away when the driver leaves
      Given the driver is charging at connector 1
      And the terminal cannot reach its host
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds

  @must @R-FLT-07 @R-RTY-03
  Rule: A controller that starts again finishes what it has begun

    @S-J06
    Scenario: The controller dies during the charge, and the charge goes on
      Given the driver is charging at connector 1
      And the controller has died and started again
      When the driver unplugs at connector 1
      Then the driver's session is committed within 20 seconds

    @S-J07 @R-SES-03 @sample
    Scenario: The vehicle leaves while the controller is dead
      Given the driver is charging at connector 1
      And the controller has died
      And the driver has driven off from connector 1
      When the controller starts again
      Then the driver's session is committed within 60 seconds
